/** `posternd status`: the leases that the kernel has, and, where a daemon runs, what it counted. */
import { readMonoMs } from '../../daemon/clock.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { type DaemonStatus, type ToldLease, withNames } from '../../daemon/status-answer.js'
import { isOver, readTrial } from '../../daemon/trial.js'
import { isOurs } from '../../firewall/transition.js'
import { readBootId } from '../../replay/boot-id.js'
import { formatId } from '../../wire/ids.js'
import type { Command, World } from '../command.js'
import { EXIT, type ExitCode } from '../exit.js'
import { type Arguments, isGiven, type Option } from '../options.js'
import { lineOrEnd } from '../print.js'
import { configOf, managerFor } from './kernel.js'
import {
  CONFIG_OPTION,
  controlPathOf,
  JSON_OPTION,
  RUN_DIR_OPTION,
  refuseWords,
  STATE_DIR_OPTION,
  stateDirOf,
} from './options.js'
import { statusWords } from './status-words.js'
import { EVERY_MS, pause, refresh } from './watching.js'

/** `up`: shut, whoever keeps it so. `down`: nothing of ours is in the kernel. `trial-over`: the kernel took it back. */
export type GateState = 'up' | 'down' | 'trial-over'

/** The kernel's side of it where no daemon runs. */
export interface WithoutDaemon {
  readonly gate: GateState
  readonly mode: 'guard' | 'chain'
  readonly file: string
  readonly trialLeftMs?: number
  readonly leases: readonly ToldLease[]
}

export type Standing = ({ readonly running: true } & DaemonStatus) | ({ readonly running: false } & WithoutDaemon)

const WATCH: Option = { name: 'watch', describe: 'show it again each second, until Ctrl-C' }

export const status: Command = {
  name: 'status',
  positionals: '',
  describe: 'leases as the kernel has them, and what the daemon counted',
  options: [WATCH, CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION, JSON_OPTION],
  examples: [
    ['posternd status --watch', 'leases, users and counters, in place, each second'],
    ['posternd status --json', 'for a program; with --watch an object a line'],
  ],
  run: async (args, world) => {
    refuseWords(args)
    const show = async () => {
      const standing = await standingOf(args, world)
      return isGiven(args, 'json') ? JSON.stringify(inJson(standing)) : statusWords(standing)
    }
    if (isGiven(args, 'watch')) return watch(show, isGiven(args, 'json'))
    world.printer.line(await show())
    return EXIT.ok
  },
}

/** Until it is killed, or its reader is gone. */
async function watch(show: () => Promise<string>, isJson: boolean): Promise<ExitCode> {
  const isInPlace = !isJson && process.stdout.isTTY === true
  for (;;) {
    const text = await show()
    if (isInPlace) refresh(text)
    else lineOrEnd(isJson ? text : `${text}\n`)
    await pause(EVERY_MS)
  }
}

/** What the daemon says, or, where none runs, the kernel. Throws ControlError, ConfigError, FirewallError. */
export async function standingOf(args: Arguments, world: World): Promise<Standing> {
  const daemon = await daemonStatus(controlPathOf(args))
  return daemon === undefined ? { running: false, ...withoutDaemon(args, world) } : { running: true, ...daemon }
}

/** The running daemon's word; undefined where none runs. Throws ControlError. */
export async function daemonStatus(path: string): Promise<DaemonStatus | undefined> {
  try {
    const answer = await askControl(path, { command: 'status' })
    if (!answer.ok) throw new ControlError('broken', answer.error)
    const { ok: _, ...told } = answer
    return told as unknown as DaemonStatus
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

const INET = 1

/** The kernel's side, for whoever knows that none runs. Throws ConfigError, FirewallError. */
export function withoutDaemon(args: Arguments, world: World): WithoutDaemon {
  const config = configOf(args, world)
  const { manager, kernel } = managerFor(config, world)
  const { firewall, file } = config
  const present = kernel.shape(INET, firewall.table)
  const isUp = present !== undefined && isOurs(present)
  const trial = readTrial(stateDirOf(args))
  const over = trial !== undefined && isOver(trial, Buffer.from(readBootId()).toString('hex'), readMonoMs())
  const gate = over ? 'trial-over' : isUp ? 'up' : 'down'
  return {
    gate,
    mode: firewall.mode,
    file,
    ...(trial !== undefined && !over && { trialLeftMs: trial.endsMs - readMonoMs() }),
    leases: isUp ? withNames(manager.leases(), config) : [],
  }
}

function inJson(standing: Standing): object {
  const leases = standing.leases.map(({ resource, user, ...lease }) => ({
    ...lease,
    resource: formatId(resource),
    ...(user === undefined ? {} : { user: formatId(user) }),
  }))
  return { ...standing, contents: undefined, leases }
}
