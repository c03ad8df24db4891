/**
 * `posternd trust-clock`: by hand: this machine's clock is right, and knocks made after now were not accepted before. For the
 * very first start, and after a clock that was far ahead. Works with the daemon running or not.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { askControl, ControlError } from '../../daemon/control.js'
import { firstMarks, isUsualHorizon, trustedMarks, WIDEST_WINDOW_MS } from '../../daemon/past.js'
import { openDirectory } from '../../replay/disk.js'
import { HORIZON_FILE, Horizon, parseHorizon, readHorizon } from '../../replay/horizon.js'
import type { Command } from '../command.js'
import { EXIT, type ExitCode } from '../exit.js'
import { type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { controlPathOf, RUN_DIR_OPTION, refuseWords, runDirOf, STATE_DIR, STATE_DIR_OPTION } from './options.js'

const USER_OPTION: Option = {
  name: 'user',
  value: 'USER',
  describe: 'whom the monitor runs as; -: who calls this',
  preset: 'postern',
}

/** Set for the command that goes on as the monitor's user: it cannot see what root has taken away. */
const HAS_HEARD = 'POSTERN_HAS_HEARD'

export const trustClock: Command = {
  name: 'trust-clock',
  positionals: '',
  describe:
    'say that the clock is right: knocks made from now on are accepted (first start, or the clock was far ahead)',
  options: [RUN_DIR_OPTION, STATE_DIR_OPTION, USER_OPTION],
  examples: [['posternd trust-clock', 'once after installing; else only when the log asks for it']],
  run: async (args, { env, printer }) => {
    refuseWords(args)
    const running = await trustRunning(controlPathOf(args))
    let markMs = running?.markMs
    if (markMs === undefined) {
      const folder = join(textOf(args, 'state-dir') ?? STATE_DIR, 'monitor')
      if (isTrustedAlready(join(folder, HORIZON_FILE))) markMs = 'unchanged'
    }
    if (markMs === 'unchanged') {
      printer.line(unchangedWords(running?.untrustedBelowMs ?? 0, Date.now()))
      return EXIT.ok
    }
    if (markMs === undefined) {
      const hasHeard = env[HAS_HEARD] === '1' || hasJournal(join(runDirOf(args), 'listener'))
      // The journal's floors are as high as the clock was.
      rmSync(join(runDirOf(args), 'listener'), { recursive: true, force: true })
      if (textOf(args, 'user') === '') throw new UsageError('--user "": expected a user that exists, or -')
      const path = join(textOf(args, 'state-dir') ?? STATE_DIR, 'monitor')
      const owner = ownerOf(path, textOf(args, 'user') ?? 'postern')
      if (owner !== undefined) return asOwner(owner, path, hasHeard)
      markMs = trustStopped(path, hasHeard)
    }
    const waitSeconds = Math.ceil((markMs - Date.now()) / 1000)
    const wait = waitSeconds > 0 ? `, in ${waitSeconds} s` : ''
    printer.line(`knocks made after ${new Date(markMs).toISOString()} are accepted${wait}`)
    return EXIT.ok
  },
}

/**
 * What is said where there is nothing to trust: after an end that was not orderly knocks are refused for a while all the same, and
 * this command cannot shorten it, for what was accepted before is lost. Times are Unix ms. Pure.
 */
export function unchangedWords(untrustedBelowMs: number, nowMs: number): string {
  if (untrustedBelowMs <= nowMs)
    return 'nothing to do: the horizon is not ahead of the clock, knocks are accepted as it is'
  const time = new Date(untrustedBelowMs).toISOString()
  const wait = Math.ceil((untrustedBelowMs - nowMs) / 1000)
  return `nothing to do: the horizon is not ahead of the clock; but the replay journal is not trusted, as after a power cut, so knocks are refused for ${wait} s more, until ${time} (posternd open RESOURCE ADDRESS lets somebody in meanwhile)`
}

interface Trusted {
  readonly markMs: number | 'unchanged'
  /** Where it is unchanged: up to where nothing is accepted all the same; 0: all is. */
  readonly untrustedBelowMs: number
}

/** From when on the running daemon accepts, Unix ms; undefined where none runs. */
async function trustRunning(path: string): Promise<Trusted | undefined> {
  try {
    const answer = await askControl(path, { command: 'trust-clock' })
    if (!answer.ok) throw new ControlError('broken', answer.error)
    const isUnchanged = answer['isUnchanged'] === true
    return {
      markMs: isUnchanged ? 'unchanged' : Number(answer['trustedAboveMs']),
      untrustedBelowMs: isUnchanged ? Number(answer['untrustedBelowMs']) : 0,
    }
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

/** A second call must not make the first one worse: it would delete a journal that is good. */
function isTrustedAlready(file: string): boolean {
  try {
    const marks = parseHorizon(readFileSync(file, 'latin1'))
    return marks !== undefined && isUsualHorizon(marks.horizonMs, Date.now(), WIDEST_WINDOW_MS)
  } catch {
    return false
  }
}

/** Whether a daemon of this boot may have accepted something. */
function hasJournal(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

/** A horizon that is missing where there was a journal was lost: something may have been accepted. */
function trustStopped(path: string, hasHeard: boolean): number {
  const directory = openDirectory(path)
  const nowMs = Date.now()
  const isFirst = !hasHeard && readHorizon(directory).kind === 'missing'
  const marks = isFirst ? firstMarks(nowMs) : trustedMarks(nowMs, WIDEST_WINDOW_MS)
  Horizon.open(directory, marks).trust(marks)
  return marks.horizonMs
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

/** The horizon is the monitor's own file: root writes it as that user (else undefined), in a folder that it gives to him first. */
function ownerOf(path: string, user: string): Owner | undefined {
  if (process.geteuid?.() !== 0 || user === '-') return undefined
  mkdirSync(path, { recursive: true, mode: 0o755 })
  const found = statSync(path)
  const owner = found.uid === 0 ? accountOf(user) : found
  chmodSync(dirname(path), 0o755)
  chmodSync(path, 0o700)
  chownSync(path, owner.uid, owner.gid)
  return owner
}

/**
 * The same command again as that user, by setpriv as the starter does it: process.setuid refuses where Node was built with a
 * libuv that may use io_uring (Debian 13). No daemon runs, and none is looked for where there cannot be one.
 */
function asOwner({ uid, gid }: Owner, path: string, hasHeard: boolean): ExitCode {
  const state = ['--state-dir', dirname(path), '--run-dir', path, '--user', '-']
  const words = [process.execPath, process.argv[1] ?? '', 'trust-clock', ...state]
  const identity = ['--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups', '--no-new-privs']
  const { error, status } = spawnSync('setpriv', [...identity, ...words], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, [HAS_HEARD]: hasHeard ? '1' : '0' },
  })
  if (error) throw new ControlError('broken', `setpriv: ${error.message}: expected util-linux to be installed`)
  return status === 0 ? EXIT.ok : EXIT.unavailable
}

/** A name of /etc/passwd, or a number that is uid and gid. Throws UsageError. */
function accountOf(user: string): Owner {
  if (/^[0-9]+$/.test(user)) return { uid: Number(user), gid: Number(user) }
  const rows = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const row = rows.find(([name]) => name === user)
  if (row === undefined)
    throw new UsageError(
      `--user "${user}": expected a user that exists; useradd --system --user-group --shell /usr/sbin/nologin makes one (posternd init does, where systemd is)`,
    )
  return { uid: Number(row[2]), gid: Number(row[3]) }
}
