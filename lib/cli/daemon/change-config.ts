/** What commands that change the server's file have in common: the change itself, and that a running daemon hears of it. */
import { filesFor, firstThere, hostFacts, SERVER_FILES, thisProcess } from '../../config/files.js'
import { changeFile } from '../../config/replace-file.js'
import { readServerConfig } from '../../config/server.js'
import type { ServerConfig } from '../../config/types.js'
import { askControl, ControlError } from '../../daemon/control.js'
import type { World } from '../command.js'
import { type Arguments, textOf } from '../options.js'
import { areSame } from './in-force.js'
import { controlPathOf } from './options.js'

/** The file that --config, POSTERN_CONFIG or the usual places name. */
export function serverFileOf(args: Arguments, env: World['env']): string {
  return textOf(args, 'config') ?? (env['POSTERN_CONFIG'] || (firstThere(SERVER_FILES) ?? SERVER_FILES[0]))
}

/**
 * Changes the file: `change` gets its text and what it means, and gives the new text. What comes out must be good, or nothing
 * is written: `check` may refuse it, too. Gives what the new file means. Throws ConfigError and what `change` and `check` throw.
 */
export function changeConfig(
  path: string,
  change: (text: string, config: ServerConfig) => string,
  check: (config: ServerConfig) => void = () => {},
): ServerConfig {
  let result: ServerConfig | undefined
  const reader = thisProcess('daemon')
  const read = (text: string) => readServerConfig(text, path, hostFacts(), filesFor(reader))
  changeFile(path, reader, (text = '') => {
    const changed = change(text, read(text))
    result = read(changed)
    check(result)
    return changed
  })
  return result!
}

/** Has a running daemon read its file again: what became of it, as a sentence. Throws ControlError where it refuses the file. */
export async function reloadDaemon(args: Arguments, path: string): Promise<string> {
  try {
    const status = await askControl(controlPathOf(args), { command: 'status' })
    const file = status.ok ? String(status['file']) : ''
    if (!areSame(file, path)) return `the daemon that runs here reads another file, ${file}: nothing changes there`
    const answer = await askControl(controlPathOf(args), { command: 'reload' })
    if (!answer.ok)
      throw new ControlError('broken', `the file was changed, but the daemon did not take it: ${answer.error}`)
    return 'the daemon has read it, it is in force'
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if (error.code === 'absent') return 'no daemon runs here, it is in force from its start'
    if (error.code === 'denied') return 'the daemon was not told, which takes root: systemctl reload postern'
    throw error
  }
}
