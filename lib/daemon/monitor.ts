/**
 * The monitor: owns the firewall, with CAP_NET_ADMIN and nothing else. It reads the configuration, rolls the slots, checks
 * again what the listener asks for, and lets the rule manager do it. It parses nothing from the network and runs no shell.
 */
import type { ServerConfig } from '../config/types.js'
import type { Now } from '../replay/clock.js'
import { reasonOf } from '../replay/error.js'
import { Chronicle } from './chronicle.js'
import { stepWatch } from './clock.js'
import type { ControlAnswer, ControlRequest } from './control.js'
import { counted } from './counted.js'
import { reloadRefusal } from './fixed.js'
import { type Frame, UNASKED } from './frames.js'
import { Greeting } from './greeting.js'
import type { MonitorParts } from './monitor-parts.js'
import { answerOf, notReloaded } from './not-reloaded.js'
import { aheadMs, isUsualHorizon, trustedMarks } from './past.js'
import { Requests } from './requests.js'
import type { ListenerStart } from './settings.js'
import { settingsFor } from './settings-for.js'
import { type Measured, statusAnswer } from './status-answer.js'
import { deriveUserKeys, type UserKeys } from './user-keys.js'

/** Events get lost: a look at the rules all the same, now and then. */
const VERIFY_EVERY_MS = 10_000
const PING_EVERY_MS = 4_000
const SILENT_LISTENER_MS = 15_000

export class Monitor {
  readonly #parts: MonitorParts
  #config: ServerConfig
  #users: readonly UserKeys[]
  #start: ListenerStart
  readonly #chronicle: Chronicle
  readonly #requests: Requests
  readonly #startedMs: number
  readonly #stepMs: (now: Now) => number
  #verifiedAt: number
  #pingedAt = 0
  #listeners = 0
  readonly #greeting = new Greeting()
  #answeredAt: number
  #sequence = 0
  /** By its last answer: how long that took, and up to where nothing is accepted (0: its journal is trusted). */
  #listener = { lagMs: 0, untrustedBelowMs: 0 }

  constructor(parts: MonitorParts, config: ServerConfig, users: readonly UserKeys[], start: ListenerStart) {
    this.#parts = parts
    this.#config = config
    this.#chronicle = new Chronicle(parts.log, () => parts.now().wallMs, config)
    this.#requests = new Requests({
      now: parts.now,
      manager: parts.manager,
      chronicle: this.#chronicle,
      config: () => this.#config,
      send: parts.send,
    })
    this.#users = users
    this.#start = start
    const { wallMs, monoMs } = parts.now()
    this.#startedMs = wallMs
    this.#stepMs = stepWatch({ wallMs, monoMs })
    this.#verifiedAt = this.#answeredAt = monoMs
  }

  /** Everything that came from the listener at once: what changes leases becomes one transaction. */
  frames(frames: readonly Frame[]): void {
    for (const frame of frames) {
      switch (frame.kind) {
        case 'request':
          this.#requests.add(frame)
          break
        case 'record':
          this.#chronicle.record(frame, this.#parts.manager.annotate(frame.resource, frame.address, frame.user))
          break
        case 'hello':
          this.#hello(frame.nonce)
          break
        case 'pong':
          this.#answeredAt = this.#parts.now().monoMs
          this.#listener.untrustedBelowMs = frame.untrustedBelowMs
          if (frame.sequence === UNASKED) this.#parts.onListening()
          else this.#listener.lagMs = this.#answeredAt - this.#pingedAt
          break
        case 'counter':
        case 'words':
        case 'refused':
          this.#chronicle.heard(frame)
          break
        case 'ended':
          break
        default:
          frame satisfies never
      }
    }
    this.#requests.perform()
  }

  /** Every two seconds: slots, clocks, a look at the rules, a sign of life. Rejects only where nothing can be done any more. */
  async tick(): Promise<void> {
    const { log, roller, sleep } = this.#parts
    const now = this.#parts.now()
    const hasWoken = sleep.follow(roller) === 'woke'
    this.#parts.makeUpForSleep()
    if (hasWoken) this.#hearAnew()
    const stepMs = this.#stepMs(now)
    if (stepMs !== 0) {
      log.warn(`the clock was set ${stepMs > 0 ? 'forward' : 'back'} by ${Math.abs(stepMs / 1000).toFixed(1)} s`)
      roller.setsWereLost()
    }
    if (now.monoMs - this.#verifiedAt >= VERIFY_EVERY_MS) this.verify()
    await this.#roll()
    this.#greet()
    // Not while we end: a listener that hangs would have us started again, with what --close is to revoke.
    if (!this.#greeting.isClosed) this.#ping(now.monoMs)
  }

  /** After somebody else's change of the ruleset: our part is put back within this call. */
  verify(): void {
    const { log, manager, roller } = this.#parts
    this.#verifiedAt = this.#parts.now().monoMs
    try {
      if (manager.verify() === 'intact') return
    } catch (error) {
      // The ports are as somebody else left them: again with the next tick, and said each time.
      this.#verifiedAt -= VERIFY_EVERY_MS
      log.error(`the rules could not be put back: ${reasonOf(error)}`)
      return
    }
    log.warn('somebody else removed or changed our part of the ruleset: it is back, leases with the time they had left')
    this.#hearAnew()
    roller.setsWereLost()
    void this.#roll()
  }

  /** From here on no listener is let in, and the one that is there, if any, accepts nothing more. False: there is none. */
  endListening(): boolean {
    this.#greeting.close()
    this.#parts.send({ kind: 'end' })
    return this.#listeners > 0
  }

  /** What was made before now is refused: somebody else may have it, who is the first to bring it. */
  #hearAnew(): void {
    this.#start = { ...this.#start, hearing: this.#parts.now() }
    this.#parts.send({ kind: 'hearing', hearing: this.#start.hearing })
  }

  /** The word comes with a mark, which is what counts. Throws FirewallError. */
  #heardOfSleep(word: 'sleep' | 'wake'): ControlAnswer {
    const { sleep, roller, makeUpForSleep } = this.#parts
    if (sleep.look(roller) === 'woke') {
      makeUpForSleep()
      this.#hearAnew()
      void this.#roll()
    }
    if (sleep.isAsleep === (word === 'sleep')) return { ok: true }
    return { ok: false, error: `${word}: expected the mark of it in the run directory of the daemon that runs here` }
  }

  /** SIGHUP, and after a command changed the file: a bad one changes nothing. Why not; undefined: it is in force. */
  reload(): string | undefined {
    const { log, manager, roller } = this.#parts
    let config: ServerConfig
    try {
      config = this.#parts.readConfig()
    } catch (error) {
      return notReloaded(error, log)
    }
    const why = reloadRefusal(this.#config, config)
    if (why !== undefined) return notReloaded(why, log)
    const users = deriveUserKeys(config)
    try {
      roller.replaceUsers(config, users, this.#parts.now().wallMs)
      manager.reload(config)
    } catch (error) {
      roller.replaceUsers(this.#config, this.#users, this.#parts.now().wallMs)
      return notReloaded(error, log)
    }
    this.#config = config
    this.#chronicle.use(config)
    this.#users = users
    this.#parts.send({ kind: 'settings', settings: settingsFor(config, users) })
    this.#parts.onReloaded(config, users)
    void this.#roll()
    for (const warning of config.warnings) log.warn(warning)
    log.info(
      `reloaded ${config.file}: ${counted(config.users.size, 'user')}, ${counted(config.resources.size, 'resource')}`,
    )
    return undefined
  }

  /** What the administrator asked through the control socket. */
  control(request: ControlRequest): ControlAnswer {
    const { manager } = this.#parts
    switch (request.command) {
      case 'status':
        return statusAnswer(this.#config, manager.leases(), this.#measured())
      case 'open':
      case 'revoke': {
        const lifetimeMs = (request.lifetimeSeconds ?? 0) * 1000
        const { resource, address } = request
        const wish = { operation: request.command, resource, address, lifetimeMs }
        return { ok: true, outcome: this.#requests.performNow([wish])[0] }
      }
      case 'log':
        return { ok: true, ...this.#chronicle.ring.since(Number(request.since) || 0) }
      case 'trust-clock':
        return this.#trustClock()
      case 'reload':
        return answerOf(this.reload())
      case 'sleep':
      case 'wake':
        return this.#heardOfSleep(request.command)
      case 'down':
      case 'confirm':
        return { ok: false, error: `${request.command}: expected to be handled by the program` }
      default:
        request satisfies never
        return {
          ok: false,
          error: 'command: expected status, log, open, revoke, reload, trust-clock, sleep, wake or down',
        }
    }
  }

  #measured(): Measured {
    const { wallMs, monoMs } = this.#parts.now()
    const { trialEndsMs } = this.#config.firewall
    return {
      startedMs: this.#startedMs,
      nowMs: wallMs,
      horizonMs: this.#parts.horizon.horizonMs,
      hearingMs: this.#start.hearing.wallMs,
      untrustedBelowMs: this.#listener.untrustedBelowMs,
      listenerAnsweredMsAgo: Math.round(monoMs - this.#answeredAt),
      listenerLagMs: Math.round(this.#listener.lagMs),
      ...(this.#parts.sleep.isAsleep && { isAsleep: true }),
      ...(trialEndsMs !== undefined && { trialLeftMs: Math.max(0, Math.round(trialEndsMs - monoMs)) }),
      counters: this.#chronicle.tally.counters(),
    }
  }

  #hello(nonce: Uint8Array): void {
    this.#answeredAt = this.#parts.now().monoMs
    this.#requests.forget()
    this.#greeting.hello(nonce)
    this.#greet()
  }

  /** The answer to a hello, at once or with a tick. */
  #greet(): void {
    const { horizon, now, unreadBytes } = this.#parts
    const nonce = this.#greeting.take(now().monoMs, unreadBytes())
    if (nonce === undefined) return
    // What an earlier listener of this run accepted reaches up to the horizon that was written then.
    if (this.#listeners++ > 0) this.#start = { ...this.#start, untrustedBelowMs: horizon.horizonMs }
    this.#parts.echo(nonce)
    const settings = settingsFor(this.#config, this.#users)
    this.#parts.send({ kind: 'start', start: this.#start, settings, horizonMs: horizon.horizonMs })
  }

  async #roll(): Promise<void> {
    try {
      await this.#parts.roller.roll(this.#parts.now().wallMs)
    } catch (error) {
      this.#parts.log.error(`slots: ${reasonOf(error)}`)
    }
  }

  #ping(mono: number): void {
    if (mono - this.#pingedAt < PING_EVERY_MS) return
    this.#pingedAt = mono
    if (mono - this.#answeredAt > SILENT_LISTENER_MS) {
      this.#parts.giveUp(`the listener has not answered for ${SILENT_LISTENER_MS / 1000} s`)
      return
    }
    this.#parts.send({ kind: 'ping', sequence: ++this.#sequence })
    this.#parts.alive()
  }

  #trustClock(): ControlAnswer {
    const { horizon, roller, log } = this.#parts
    const { wallMs } = this.#parts.now()
    if (isUsualHorizon(horizon.horizonMs, wallMs, aheadMs(this.#config)))
      return { ok: true, isUnchanged: true, untrustedBelowMs: this.#listener.untrustedBelowMs }
    horizon.trust(trustedMarks(wallMs, aheadMs(this.#config)))
    const trustedAboveMs = horizon.horizonMs
    roller.setsWereLost()
    this.#parts.send({ kind: 'trust', untrustedBelowMs: horizon.horizonMs, horizonMs: horizon.horizonMs })
    void this.#roll()
    log.warn(
      `the clock is trusted by hand: knocks made after ${new Date(horizon.horizonMs).toISOString()} are accepted`,
    )
    return { ok: true, trustedAboveMs }
  }
}
