/** `postern keepalive`: knocks before a lease ends, again and again, and whenever this machine is somebody else to others. */
import { existsSync } from 'node:fs'
import { type Charge, Keepalive, type KeepaliveOutside } from '../client/keepalive.js'
import { networkPrint } from '../client/network-signs.js'
import type { Command, World } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { chargeOf } from './keepalive-charge.js'
import { KEEPALIVE_OPTIONS } from './keepalive-options.js'
import { type Kept, readTasks } from './keepalive-tasks.js'
import { beginning, tellNews } from './keepalive-words.js'
import { type Arguments, isGiven } from './options.js'
import { UsageError } from './usage.js'

export const keepalive: Command = {
  name: 'keepalive',
  positionals: 'HOST PORT…',
  describe: 'keep ports open for this machine: knock before each lease ends, and wherever it moves',
  options: KEEPALIVE_OPTIONS,
  examples: [
    ['postern keepalive gate.example.org 22', 'until it is ended; a lease lasts as the file says (timeout:)'],
    ['postern keepalive --lifetime 10m gate.example.org 22 8443', 'asks for ten minutes each time'],
    ['postern keepalive --while-connected gate.example.org 22', 'keeps what was opened for as long as it is used'],
    ['postern keepalive --file ~/.config/postern/keepalive.conf', 'many hosts; SIGHUP reads the file again'],
    ['postern keepalive --once gate.example.org 22', 'from cron or a timer: silent unless it fails'],
  ],
  run,
}

const system: KeepaliveOutside = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: Math.random,
  timer: (ms, act) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
  network: () => networkPrint(),
}

/** Ends with SIGTERM or SIGINT, or after one knock with --once. Throws as `readTasks` does. */
async function run(args: Arguments, world: World): Promise<ExitCode> {
  const all = await readTasks(args, world.env)
  if (all.some(({ task }) => task.whileConnected) && !existsSync('/proc/net/tcp'))
    throw new UsageError('--while-connected: expected Linux, whose /proc/net/tcp lists connections: leave it out')
  if (isGiven(args, 'once')) return await knockOnce(all, world)
  return await keepOn(all, args, world)
}

/** One knock for each, all at once. */
async function knockOnce(all: readonly Kept[], world: World): Promise<ExitCode> {
  const attempts = await Promise.all(all.map((kept) => chargeOf(kept, world).attempt(true)))
  attempts.forEach((attempt, i) => {
    if (attempt.kind === 'failed') world.printer.error(`postern: ${all[i]!.task.name}: ${attempt.why}`)
  })
  return attempts.some(({ kind }) => kind === 'failed') ? EXIT.failed : EXIT.ok
}

function keepOn(first: readonly Kept[], args: Arguments, world: World): Promise<ExitCode> {
  const { printer } = world
  const isQuiet = isGiven(args, 'quiet')
  const names = new Map<string, string>()
  const nameOf = ({ key }: Charge) => names.get(key)!
  const keeper = new Keepalive(system, (news) => tellNews(news, nameOf, isQuiet, printer))
  const keep = (all: readonly Kept[]) => {
    for (const warning of new Set(all.flatMap(({ source }) => source.warnings)))
      if (!isQuiet) printer.error(`postern: warning: ${warning}`)
    const charges = all.map((kept) => {
      const { key, task } = kept
      const rhythm = task.rhythm!
      names.set(key, task.name)
      if (!isQuiet) printer.line(beginning({ ...task, rhythm }))
      return { ...chargeOf(kept, world), rhythm }
    })
    keeper.keep(charges)
  }
  const readAgain = async () => {
    try {
      keep(await readTasks(args, world.env))
    } catch (error) {
      printer.error(`postern: read again, and nothing changed: ${(error as Error).message}`)
    }
  }
  return new Promise((resolve) => {
    const end = () => {
      keeper.stop()
      resolve(EXIT.ok)
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
    process.on('SIGHUP', () => void readAgain())
    keep(first)
  })
}
