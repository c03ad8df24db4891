/**
 * `posternd trial` and `posternd confirm`: a gate that takes itself back. Whoever tries it from afar keeps the connection that
 * he has, and says that it works from one that he made through the gate; else the kernel opens everything again.
 */
import { join } from 'node:path'
import { ConfigError, quote } from '../../config/error.js'
import { covers } from '../../config/ports.js'
import type { ServerConfig } from '../../config/types.js'
import { BOOT_MARK, leaveBootMark } from '../../daemon/boot-mark.js'
import { readMonoMs } from '../../daemon/clock.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { StateError } from '../../daemon/monitor-file.js'
import { forgetTrial, isOver, onTrial, readTrial, type Trial, writeTrial } from '../../daemon/trial.js'
import type { Entry } from '../../firewall/book.js'
import { isOurs } from '../../firewall/transition.js'
import { readBootId } from '../../replay/boot-id.js'
import { canonicalAddress, type IpAddress } from '../../wire/address.js'
import type { Command, World } from '../command.js'
import { wholeSeconds } from '../duration.js'
import { EXIT } from '../exit.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { configOf, managerFor } from './kernel.js'
import {
  CONFIG_OPTION,
  controlPathOf,
  RUN_DIR_OPTION,
  refuseWords,
  runDirOf,
  STATE_DIR_OPTION,
  stateDirOf,
} from './options.js'
import { type Session, sshSession, uptimeMs } from './session.js'

const INET = 1
/** Long enough to knock and log in, short enough to be waited for. */
const BOUNDS = { least: 10, greatest: 86_400 }
/** The lease of whoever tries outlives the trial, or the end of the one would hide the end of the other. */
const LONGER_MS = 60_000

const ADDRESS: Option = {
  name: 'address',
  value: 'IP',
  describe: 'who keeps his connection',
  preset: 'whom your ssh login comes from',
}

export const trial: Command = {
  name: 'trial',
  positionals: 'TIME',
  describe: 'put the gate up for TIME (10 s to 1 d) only: unless it is confirmed, the kernel itself opens all again',
  options: [ADDRESS, CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION],
  examples: [['posternd trial 5m', 'then start the daemon, knock and log in anew, and there: posternd confirm']],
  run: async (args, world) => {
    const [time, ...more] = args.positionals
    if (time === undefined) throw new UsageError('TIME is missing: expected posternd trial 5m')
    if (more.length > 0) throw new UsageError(`${quote(more[0]!)}: expected one TIME: posternd trial ${time}`)
    const lengthMs = wholeSeconds('TIME', time, BOUNDS) * 1000
    const named = addressOf(args)
    const config = configOf(args, world)
    if (config.firewall.mode !== 'guard')
      throw new UsageError(
        'a trial is for guard mode: in chain mode the host’s own ruleset shuts, and postern only opens; nft -f puts that ruleset back',
      )
    refuseGuardless(config)
    refuseWhereOneRuns(args)
    const bootId = bootIdText()
    const begun: Trial = { bootId, startedUptimeMs: uptimeMs(), endsMs: readMonoMs() + lengthMs }
    const { manager, kernel } = managerFor(onTrial(config, begun), world)
    const present = kernel.shape(INET, config.firewall.table)
    if (present !== undefined && isOurs(present))
      throw new UsageError(
        `the gate is up for good already (table inet ${config.firewall.table}): posternd down takes it away first`,
      )
    const first = leasesFor(named, config, lengthMs + LONGER_MS)
    keep(() => leaveBootMark(markIn(args), bootId))
    keep(() => writeTrial(stateDirOf(args), begun))
    try {
      manager.start({ keep: false, first })
    } catch (error) {
      forgetTrial(stateDirOf(args))
      throw error
    }
    for (const line of nextSteps(config, begun, first)) world.printer.line(line)
    return EXIT.ok
  },
}

const FORCE: Option = { name: 'force', describe: 'without a proof that one can get in: from a console' }

export const confirm: Command = {
  name: 'confirm',
  positionals: '',
  describe: 'the trial went well: the gate is for good. Only from an ssh login that is younger than the trial',
  options: [FORCE, CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION],
  examples: [['posternd confirm', 'in a login that was made with a knock']],
  run: async (args, world) => {
    refuseWords(args)
    const begun = readTrial(stateDirOf(args))
    if (begun === undefined) throw new UsageError('no trial is on: posternd trial 5m begins one')
    if (isOver(begun, bootIdText(), readMonoMs()))
      throw new UsageError('the trial is over and everything is open again: posternd trial 5m begins another')
    if (!isGiven(args, 'force')) refuseUnproven(sshSession(process.pid), begun)
    await makeItForGood(args, world)
    world.printer.line(
      'confirmed: the gate stays. So that it comes up at boot: systemctl enable --now postern-gate postern',
    )
    return EXIT.ok
  },
}

/** What a full disk or an editor that died leaves of a file reads as one that guards nothing. */
function refuseGuardless({ file, resources }: ServerConfig): void {
  if (resources.size > 0) return
  throw new ConfigError([{ file, line: 0, message: '[RESOURCES] has no resource: expected what is to be guarded' }])
}

/** Ahead of the gate: once that is up there must be nothing left that can fail. Throws StateError. */
function keep(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!(error instanceof StateError)) throw error
    throw new StateError(error.path, error.cause, ', and nothing was shut')
  }
}

function refuseWhereOneRuns(args: Arguments): void {
  const running = readTrial(stateDirOf(args))
  if (running === undefined || isOver(running, bootIdText(), readMonoMs())) return
  throw new UsageError(`a trial is on for ${secondsLeft(running)} s yet: posternd confirm, or posternd down`)
}

/** --address, ahead of all else. Throws UsageError. */
function addressOf(args: Arguments): IpAddress | undefined {
  const said = textOf(args, 'address')
  const address = canonicalAddress(said ?? '')
  if (said !== undefined && address === undefined)
    throw new UsageError(`--address ${quote(said)}: expected an IPv4 or IPv6 address, like 192.0.2.7`)
  return address
}

/** Whoever is connected now goes on being so: in the transaction that shuts the gate he has his lease. */
function leasesFor(said: IpAddress | undefined, config: ServerConfig, lengthMs: number): Entry[] {
  const session = sshSession(process.pid)
  const address = said ?? canonicalAddress(session?.client ?? '')
  if (address === undefined) return []
  const endMs = readMonoMs() + lengthMs
  return [...config.resources.values()]
    .filter((resource) => said !== undefined || covers(resource, session!.serverPort))
    .filter(({ target }) => target.kind === 'ports')
    .map(({ id }) => ({ resource: id, address, lengthMs, endMs }))
}

function refuseUnproven(session: Session | undefined, { startedUptimeMs }: Trial): void {
  if (session === undefined)
    throw new UsageError(
      'this is no ssh login (or screen, tmux, sudo -i of an earlier one): posternd confirm in a new one, or posternd confirm --force from a console',
    )
  if (session.startedUptimeMs <= startedUptimeMs)
    throw new UsageError(
      'this login is older than the trial, so it does not show that one gets in: knock, log in anew (ssh -S none), and there: posternd confirm',
    )
}

/** Asks the daemon, which forgets the trial as well; where none runs, does both here. */
async function makeItForGood(args: Arguments, world: World): Promise<void> {
  try {
    const answer = await askControl(controlPathOf(args), { command: 'confirm' })
    if (!answer.ok) throw new ControlError('broken', answer.error)
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'absent')) throw error
    const config = configOf(args, world)
    refuseGuardless(config)
    managerFor(config, world).manager.start({ keep: true })
    forgetTrial(stateDirOf(args))
  }
}

function nextSteps(config: ServerConfig, begun: Trial, first: readonly Entry[]): string[] {
  const addresses = [...new Set(first.map(({ address }): IpAddress => address))]
  const kept =
    addresses.length === 0 ? 'no connection of yours goes through it' : `${addresses.join(', ')} stays connected`
  return [
    `the gate is up for ${secondsLeft(begun)} s (until ${clockTime(begun)}); ${kept}. If you do nothing, the kernel opens all again.`,
    'Next, in this order:',
    '  1. systemctl start postern          (or: posternd run)',
    '  2. from your machine: knock and log in anew (postern knock HOST 22 --wait && ssh HOST; after postern ssh-config: ssh HOST)',
    `  3. in that new login: posternd confirm${config.file === '/etc/postern/posternd.conf' ? '' : ` --config ${config.file}`}`,
  ]
}

function secondsLeft({ endsMs }: Trial): number {
  return Math.ceil((endsMs - readMonoMs()) / 1000)
}

function clockTime({ endsMs }: Trial): string {
  return new Date(Date.now() + endsMs - readMonoMs()).toTimeString().slice(0, 8)
}

function markIn(args: Arguments): string {
  return join(runDirOf(args), BOOT_MARK)
}

function bootIdText(): string {
  return Buffer.from(readBootId()).toString('hex')
}
