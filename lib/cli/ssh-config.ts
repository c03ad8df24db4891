/** `postern ssh-config`: prints what makes ssh knock by itself, or puts it into the user's configuration of ssh. */
import { accessSync, constants, realpathSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { ConfigError, quote } from '../config/error.js'
import type { Command, World } from './command.js'
import { connectArguments } from './connect-arguments.js'
import { EXIT, type ExitCode } from './exit.js'
import { fwknopArguments } from './fwknop-arguments.js'
import { CONNECT_OPTIONS } from './knock-options.js'
import { type Arguments, isGiven, type Option, textOf } from './options.js'
import { type SshForm, sshLines, withBlock, withoutBlock } from './ssh-block.js'
import { readSshFile, type SshFile, sshFilePath, writeSshFile } from './ssh-file.js'
import { UsageError } from './usage.js'

/** Of `postern connect`, and given on in its line. */
const PASSED_ON = CONNECT_OPTIONS.filter(({ name }) => !['fdpass', 'env-file'].includes(name))

const OPTIONS: readonly Option[] = [
  { name: 'install', describe: 'write it into the file, of which a copy is kept; again: in its own place' },
  { name: 'remove', describe: 'take it out of the file' },
  { name: 'file', value: 'FILE', describe: 'the configuration of ssh', preset: '~/.ssh/config' },
  { name: 'pipe', describe: 'ProxyCommand without handing the connection over (ProxyUseFdpass)' },
  { name: 'match-exec', describe: 'Match exec with postern knock --wait, and ssh connects by itself' },
  ...PASSED_ON,
]

export const sshConfig: Command = {
  name: 'ssh-config',
  positionals: 'HOST',
  describe: 'what makes ssh knock by itself: lines for ~/.ssh/config',
  options: OPTIONS,
  examples: [
    ['postern ssh-config gate.example.org', 'print the lines'],
    ['postern ssh-config gate --install', 'for `ssh gate`, whatever HostName and Port the file has for it'],
    [
      'postern ssh-config gate --config ~/.config/postern/gate.conf --install',
      'where each server has a file of its own',
    ],
    ['postern ssh-config gate --remove', ''],
  ],
  run: async (args, world) => {
    const host = hostOf(args)
    const form = formOf(args)
    const lines = sshLines({ host, form, program: programWords(world.env), options: passedOn(args, host, form) })
    if (!isGiven(args, 'install') && !isGiven(args, 'remove')) {
      world.printer.line(lines.trimEnd())
      return EXIT.ok
    }
    const path = textOf(args, 'file') ?? sshFilePath(world.env)
    if (path === '') throw new UsageError('--file "": expected a file')
    const file = readSshFile(path)
    return isGiven(args, 'remove') ? remove(file, host, world) : install(file, host, lines, world)
  },
}

function install(file: SshFile, host: string, lines: string, { printer, outside }: World): ExitCode {
  const text = edited(file, () => withBlock(file.text, host, lines))
  if (text === file.text) {
    printer.line(`${file.path} says so already`)
    return EXIT.ok
  }
  const copy = writeSshFile(file, text, outside.nowMs())
  printer.line(`Written: ${file.path}${copy === undefined ? '' : `; what was there is ${copy}`}`)
  printer.line(`Next: ssh ${host}`)
  return EXIT.ok
}

function remove(file: SshFile, host: string, { printer, outside }: World): ExitCode {
  const text = edited(file, () => withoutBlock(file.text, host))
  if (text === undefined) {
    printer.error(`postern: ${file.path} has no lines of postern's for ${host}`)
    return EXIT.failed
  }
  printer.line(`Written: ${file.path}; what was there is ${writeSshFile(file, text, outside.nowMs())}`)
  return EXIT.ok
}

/** A mark without its end: what is between cannot be told from the user's own lines. */
function edited<Text>({ path }: SshFile, edit: () => Text): Text {
  try {
    return edit()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ConfigError([{ file: path, line: 0, message: `${error.message}: mend it by hand` }])
  }
}

function hostOf({ positionals }: Arguments): string {
  const [host, ...more] = positionals
  if (host === undefined) throw new UsageError('HOST is missing: expected HOST')
  if (more.length > 0) throw new UsageError(`${quote(more[0]!)}: expected one HOST: postern ssh-config ${host}`)
  if (!/^[A-Za-z0-9_*?[:.][A-Za-z0-9_.:*?[\]%-]{0,254}$/.test(host))
    throw new UsageError(
      `HOST ${quote(host)}: expected a name, an address or a pattern, as behind Host in ~/.ssh/config`,
    )
  return host
}

function formOf(args: Arguments): SshForm {
  if (isGiven(args, 'install') && isGiven(args, 'remove')) throw new UsageError('--install with --remove: expected one')
  if (isGiven(args, 'pipe') && isGiven(args, 'match-exec'))
    throw new UsageError('--pipe with --match-exec: expected one')
  if (isGiven(args, 'match-exec')) return 'match-exec'
  // Only Unix can hand a descriptor over, and of the programs that postern runs in, Node.
  const canHandOver = process.platform !== 'win32' && process.versions['bun'] === undefined
  return isGiven(args, 'pipe') || !canHandOver ? 'pipe' : 'fdpass'
}

/** The options that the line carries, checked as `postern connect` would check them; paths do not depend on where ssh is called. */
function passedOn(args: Arguments, host: string, form: SshForm): string[] {
  const names = PASSED_ON.map(({ name }) => name).filter((name) => isGiven(args, name))
  const values = Object.fromEntries(names.map((name) => [name, args.values[name]!]))
  const asked = connectArguments({ positionals: [/^\d+$/.test(host) ? `n${host}` : host, '22'], values }, false)
  if (asked.protocol === 'fwknop' || asked.fwknopOptions.length > 0)
    fwknopArguments({ positionals: [], values }, asked, 'open')
  return names.flatMap((name) => {
    const value = textOf(args, name)
    if (value === undefined) return [`--${name}`]
    // A line of its own in the file would be one of ssh's.
    if (/\p{Cc}/u.test(value)) throw new UsageError(`--${name} ${quote(value)}: expected no control characters`)
    if (name === 'wait' && form === 'match-exec') return ['--timeout', value]
    return [`--${name}`, ['config', 'key-file', 'fwknoprc'].includes(name) ? resolve(value) : value]
  })
}

/** `postern`, where a shell finds this very program by that name; else its path. */
function programWords(env: World['env']): string[] {
  const script = process.argv[1]
  if (script === undefined || process.versions['bun'] !== undefined) return onPath(process.execPath, env)
  return onPath(script, env)
}

function onPath(program: string, { PATH = '' }: World['env']): string[] {
  const own = realpathSync(program)
  for (const folder of PATH.split(delimiter)) {
    const found = join(folder, 'postern')
    try {
      accessSync(found, constants.X_OK)
      return realpathSync(found) === own ? ['postern'] : [own]
    } catch {
      // Not in this folder.
    }
  }
  return [own]
}
