/** The monitor's program: what the starter gave it, wired up in the order in which things must be there. */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadServerConfig } from '../config/files.js'
import type { ServerConfig } from '../config/types.js'
import { RuleManager } from '../firewall/manager.js'
import { NetlinkKernel } from '../firewall/netlink/kernel.js'
import { bindLog, encodeWake } from '../firewall/netlink/nflog.js'
import { FdSocket } from '../firewall/netlink/socket.js'
import { nftProgram } from '../firewall/nft.js'
import { readBootId } from '../replay/boot-id.js'
import { openDirectory } from '../replay/disk.js'
import { reasonOf } from '../replay/error.js'
import { ASLEEP_MARK, readAsleepMark } from './asleep-mark.js'
import { BOOT_MARK, hasBootMark, leaveBootMark } from './boot-mark.js'
import { readMonoMs, readNow } from './clock.js'
import { CONTROL_SOCKET, type ControlAnswer, serveControl } from './control.js'
import { counted } from './counted.js'
import { descriptor, parseDescriptors } from './descriptors.js'
import { Ending, leave } from './ending.js'
import { explainFailure } from './failure.js'
import { FrameReader } from './frames.js'
import {
  type GateOutcome,
  gateInstead,
  gateWords,
  keepGate,
  leavesNoGate,
  raiseLastGate,
  refuseEmptied,
} from './last-gate.js'
import { hostRecord } from './last-gate-chain.js'
import { LEASES_MARK, markLeases, outdatedBy } from './leases-mark.js'
import { createLog } from './log.js'
import { formOf, textForm } from './log-forms.js'
import { Monitor } from './monitor.js'
import { createNotify } from './notify.js'
import { OutstayedWatch } from './outstayed.js'
import { openHorizon } from './past.js'
import { preflight } from './preflight.js'
import { readLoop } from './read-loop.js'
import { Roller } from './roller.js'
import { Sleep } from './sleep.js'
import { sleepless, suspendWatch } from './suspend.js'
import { toListener } from './to-listener.js'
import { areSameTokens, markTokens, TOKENS_MARK, tokensId } from './tokens-mark.js'
import { forgetTrial, leftOf, onTrial, readTrial, trialInForce } from './trial.js'
import { unhurried } from './unhurried.js'
import { deriveUserKeys } from './user-keys.js'

/** Within the lead that slots have, and seldom enough to cost nothing at rest. */
const TICK_MS = 2000
/** The starter takes this for "start both of us again". */
const EXIT_AGAIN = 75

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    'run-dir': { type: 'string', default: '/run/postern' },
    'state-dir': { type: 'string', default: '/var/lib/postern' },
    generation: { type: 'string' },
    close: { type: 'boolean', default: false },
  },
})
const runDir = values['run-dir']
const stateDir = join(values['state-dir'], 'monitor')
const toStderr = (line: string) => void writeSync(2, line)
let form = textForm(toStderr, process.env['JOURNAL_STREAM'] !== undefined)
const log = createLog(() => form, readMonoMs)
/** Once what this start's own configuration shuts is shut. */
let shut: GateOutcome | undefined

function main(): void {
  const fds = parseDescriptors(process.env['POSTERN_FDS'] ?? '')
  const notify = createNotify(fds.get('notify'))
  const bootId = Buffer.from(readBootId()).toString('hex')
  let trial = trialInForce(values['state-dir'], bootId, readMonoMs())
  const load = () => onTrial(loadServerConfig(values.config), trial)
  const config = load()
  const speak = ({ log: { format } }: ServerConfig) => {
    form = formOf(format, toStderr, fds.get('journal'), writeSync)
  }
  speak(config)
  for (const warning of config.warnings) log.warn(warning)
  refuseEmptied(config, stateDir)

  const commands = new FdSocket(descriptor(fds, 'command'), Number(process.env['POSTERN_SEND_BYTES']) || undefined)
  preflight(commands, config.firewall.nft)
  const kernel = new NetlinkKernel(commands)
  const nft = nftProgram(config.firewall.nft)
  const manager = new RuleManager({ kernel, nft, config, now: readMonoMs, log: log.warn })
  // A second posternd ends here, before it has touched the firewall: each group has one owner.
  const nflog = new FdSocket(descriptor(fds, 'nflog'))
  bindLog(nflog, config.firewall.heardGroup)
  bindLog(nflog, config.firewall.recordGroup)

  // From here on there is something of ours in the kernel, all of it shut: also where the disk takes nothing.
  const mark = join(runDir, BOOT_MARK)
  const leasesMark = join(runDir, LEASES_MARK)
  manager.start({ keep: hasBootMark(mark, bootId), isOutdated: outdatedBy(leasesMark, config) })
  shut = config.firewall.mode === 'guard' ? 'there' : 'host'
  const { horizon, warning } = openHorizon(openDirectory(stateDir), readNow().wallMs, config)
  if (warning !== undefined) log.warn(warning)
  const untrustedBelowMs = horizon.horizonMs
  leaveBootMark(mark, bootId)
  markLeases(leasesMark, config)
  const users = deriveUserKeys(config)
  const tokensMark = join(runDir, TOKENS_MARK)
  if (!areSameTokens(tokensMark, tokensId(users, config))) {
    manager.dropTokens()
    markTokens(tokensMark, tokensId(users, config))
  }
  const remember = (now: ServerConfig) => {
    speak(now)
    if (now.resources.size === 0) return
    const text = hostRecord(now) ?? manager.gateText()
    if (text !== undefined)
      orWarn(() => keepGate(stateDir, text), 'the gate could not be kept for a start that fails: ')
  }
  remember(config)
  const outstayed = new OutstayedWatch(manager, config, { now: readNow, log })

  // From here on every datagram is heard, while listeners come and go: the starter keeps the socket.
  const hearing = readNow()

  const channel = new Socket({ fd: descriptor(fds, 'channel'), readable: true, writable: true })
  const { write, send } = toListener(channel, () => end(EXIT_AGAIN, 'the listener does not read what it is told'))
  const asleepMark = join(runDir, ASLEEP_MARK)
  const sleep = new Sleep({ mark: () => readAsleepMark(asleepMark, readMonoMs()), manager, log })
  const roller = new Roller(
    {
      horizon,
      sets: manager,
      holdsTokens: () => sleep.holdsTokens(),
      breathe: () => new Promise(setImmediate),
      onHorizon: (horizonMs) => send({ kind: 'horizon', horizonMs }),
    },
    config,
    users,
  )
  const monitor = new Monitor(
    {
      now: readNow,
      log,
      manager,
      horizon,
      roller,
      sleep,
      makeUpForSleep: sleepless(suspendWatch(readMonoMs), manager, log),
      send,
      echo: write,
      unreadBytes: () => channel.writableLength,
      readConfig: load,
      onReloaded: (now, its) => {
        remember(now)
        orWarn(() => markTokens(tokensMark, tokensId(its, now)))
        orWarn(() => markLeases(leasesMark, now))
        outstayed.use(now)
      },
      onListening: ready,
      alive: notify.alive,
      giveUp: (why) => end(EXIT_AGAIN, why),
    },
    config,
    users,
    { untrustedBelowMs, hearing, replayEntries: config.limits.replayEntries },
  )

  const events = descriptor(fds, 'events')
  const lookSoon = unhurried(() => monitor.verify(), {
    now: readMonoMs,
    later: (ms, run) => (ms > 0 ? setTimeout(run, ms) : setImmediate(run)),
  })
  readLoop(events, lookSoon, lookSoon, (error) => end(EXIT_AGAIN, `events: ${error.message}`))

  function end(status: number, why: string): void {
    log.info(`monitor: ${why}`)
    // To systemd the whole unit would be ending: what is not gone in its time is killed.
    if (status !== EXIT_AGAIN) notify.stopping()
    process.exitCode = status
    // A read that blocks in a thread would hold the exit up for ever: the kernel's answer to this wakes it.
    writeSync(events, encodeWake())
    process.exit(status)
  }

  function endTrial(): void {
    if (trial === undefined) return
    manager.remove()
    end(0, 'the trial is over and was not confirmed: everything of ours is out of the kernel')
  }

  /** The same gate, for good. A file that was spoilt meanwhile leaves it on trial. */
  function confirm(): ControlAnswer {
    const before = trial
    trial = undefined
    const why = monitor.reload()
    if (why === undefined) {
      // Here, not by who asked: his connection may be gone by now, and a start that finds the record puts no gate up.
      forgetTrial(values['state-dir'])
      return { ok: true }
    }
    trial = before
    return { ok: false, error: `the configuration could not be read again, and the trial goes on: ${why}` }
  }

  let isReady = false
  /** Not before: a stop that came ahead of the journal would leave a start that trusts no knock for a minute. */
  function ready(): void {
    if (isReady) return
    isReady = true
    notify.ready()
    const counts = `${counted(config.users.size, 'user')}, ${counted(config.resources.size, 'resource')}`
    log.info(`ready: ${counts}, ${config.firewall.mode} mode, ${config.file}`)
  }

  const ending = new Ending({ horizon, monitor, now: readNow, log, later: setTimeout })
  const frames = new FrameReader()
  void monitor.tick().then(() => {
    channel.on('data', (chunk) => {
      const heard = frames.push(chunk)
      monitor.frames(heard)
      ending.heard(heard)
    })
    channel.on('error', (error) => end(EXIT_AGAIN, `channel: ${error.message}`))
    if (trial !== undefined) {
      const leftMs = leftOf(trial, readMonoMs())
      log.warn(`on trial: without posternd confirm the kernel opens all again in ${Math.ceil(leftMs / 1000)} s`)
      setTimeout(() => endTrial(), leftMs)
    }
    serveControl(join(runDir, CONTROL_SOCKET), (request) => {
      if (request.command === 'confirm') return confirm()
      if (request.command !== 'down') return monitor.control(request)
      manager.remove()
      setImmediate(() => end(0, 'down: everything of ours is out of the kernel'))
      return { ok: true }
    })
    setInterval(() => {
      outstayed.tick()
      void monitor.tick()
    }, TICK_MS)
    process.on('SIGHUP', () => {
      notify.reloading(readMonoMs())
      monitor.reload()
      notify.ready()
    })
    process.on('SIGTERM', () => ending.begin(() => end(...leave(values.close ? manager : undefined))))
    // From a terminal it comes to all of us; the starter makes of it what it makes of SIGTERM.
    process.on('SIGINT', () => {})
  })
}

process.on('uncaughtException', (error) => {
  log.error(`monitor: ${error.stack ?? error.message}`)
  process.kill(process.pid, 'SIGKILL') // the starter begins anew; the gate is shut and leases run out meanwhile
})
/** A start that cannot work leaves no port open that was guarded before. */
function raiseGate(): GateOutcome {
  const commands = new FdSocket(descriptor(parseDescriptors(process.env['POSTERN_FDS'] ?? ''), 'command'))
  const keep = hasBootMark(join(runDir, BOOT_MARK), Buffer.from(readBootId()).toString('hex'))
  return raiseLastGate(stateDir, nftProgram('nft'), new NetlinkKernel(commands), { keep })
}

/** The last words of a start that fails; where nobody can hear them it fails all the same. */
function say(line: string): void {
  try {
    writeSync(2, `posternd: ${line}\n`)
  } catch {}
}

/** What may fail and is told: where a mark cannot be kept, the next start finds another one, and takes tokens and leases out. */
function orWarn(run: () => void, of = ''): void {
  try {
    run()
  } catch (error) {
    log.warn(`${of}${reasonOf(error)}`)
  }
}

try {
  main()
} catch (error) {
  const { status, message } = explainFailure(error)
  say(message)
  if (shut !== undefined) say(gateWords(shut))
  // A gate that nobody said works would lock out whoever tries it.
  else if (leavesNoGate(error) && readTrial(values['state-dir']) === undefined) say(gateInstead(raiseGate))
  process.exit(status)
}
