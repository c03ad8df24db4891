/**
 * `posternd sleep`: ahead of a suspend, instant tokens go out of the kernel, whether a daemon runs or not. `posternd wake`: the
 * machine is awake. postern-sleep.service says both.
 */
import { join } from 'node:path'
import { ConfigError } from '../../config/error.js'
import { ASLEEP_MARK, leaveAsleepMark, removeAsleepMark } from '../../daemon/asleep-mark.js'
import { readMonoMs } from '../../daemon/clock.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { StateError } from '../../daemon/monitor-file.js'
import { dropTokens } from '../../firewall/tokens.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import type { Arguments } from '../options.js'
import { configOf, kernelOf } from './kernel.js'
import { CONFIG_OPTION, controlPathOf, RUN_DIR_OPTION, refuseWords, runDirOf } from './options.js'

/** A machine waits for it before it sleeps. */
const PATIENCE_MS = 5_000
/** [FIREWALL] table, where no file says another one. */
const USUAL_TABLE = 'postern'

export const sleep: Command = {
  name: 'sleep',
  positionals: '',
  describe:
    'before the machine sleeps: no instant token is in the kernel until posternd wake; postern-sleep.service says both',
  options: [CONFIG_OPTION, RUN_DIR_OPTION],
  examples: [['posternd sleep', 'where no systemd is: from the hook that is called before a suspend']],
  run: async (args, world) => {
    refuseWords(args)
    // First: a daemon that is started from here on, or does not hear us, finds it.
    const unmarked = markFailure(join(runDirOf(args), ASLEEP_MARK))
    const why = unmarked?.message ?? (await tell(args, 'sleep'))
    if (why === undefined) return EXIT.ok
    const { table, error = unmarked } = tableOf(() => configOf(args, world).firewall.table)
    dropTokens(kernelOf(world), table)
    world.printer.error(`posternd: ${why}: instant tokens were taken out of the kernel without the daemon`)
    if (error !== undefined) throw error
    return EXIT.ok
  },
}

export const wake: Command = {
  name: 'wake',
  positionals: '',
  describe: 'the machine is awake: instant knocks open again, from those made within a minute on',
  options: [RUN_DIR_OPTION],
  examples: [['posternd wake', 'from the hook that is called after a suspend']],
  run: async (args, { printer }) => {
    refuseWords(args)
    takeMark(join(runDirOf(args), ASLEEP_MARK))
    const why = await tell(args, 'wake')
    if (why !== undefined) printer.error(`posternd: ${why}: a daemon that runs sees it for itself`)
    return EXIT.ok
  },
}

/** Throws ControlError where it is not ours to take. */
function takeMark(path: string): void {
  try {
    removeAsleepMark(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM')
      throw new ControlError('denied', `${path}: permission denied: run as root`)
    throw new ControlError('broken', message)
  }
}

/** Why the daemon did not do it; undefined: it did. Throws ControlError where we are not allowed to ask. */
async function tell(args: Arguments, command: 'sleep' | 'wake'): Promise<string | undefined> {
  try {
    const answer = await askControl(controlPathOf(args), { command }, PATIENCE_MS)
    return answer.ok ? undefined : answer.error
  } catch (error) {
    if (error instanceof ControlError && error.code !== 'denied') return error.message
    throw error
  }
}

/** A disk without room keeps no token in the kernel. */
function markFailure(path: string): StateError | undefined {
  try {
    leaveAsleepMark(path, readMonoMs())
    return undefined
  } catch (error) {
    if (error instanceof StateError) return error
    throw error
  }
}

/** A file that cannot be read keeps no token in the kernel. */
function tableOf(read: () => string): { table: string; error?: ConfigError } {
  try {
    return { table: read() }
  } catch (error) {
    if (error instanceof ConfigError) return { table: USUAL_TABLE, error }
    throw error
  }
}
