/**
 * How a run ends in order: the listener accepts nothing more and says how far it went; what it asked for before is done; then
 * the horizon goes down to that. Where it does not answer, or does not know, the horizon stays written ahead, as after a crash.
 */
import { EXIT, type ExitCode } from '../cli/exit.js'
import type { Now } from '../replay/clock.js'
import { reasonOf } from '../replay/error.js'
import type { Horizon } from '../replay/horizon.js'
import type { Frame } from './frames.js'
import type { Log } from './log.js'
import { settleHorizon } from './past.js'

/** Half of what the starter waits before it kills us, and enough for a machine that stands still for some seconds. */
export const LISTENER_ENDS_MS = 5_000

export interface EndingParts {
  readonly horizon: Horizon
  now(): Now
  readonly log: Pick<Log, 'warn'>
  /** Tells the listener to end, and lets no other in. False: there is none. */
  readonly monitor: { endListening(): boolean }
  later(run: () => void, ms: number): unknown
}

export class Ending {
  readonly #parts: EndingParts
  #then: (() => void) | undefined
  #isOver = false

  constructor(parts: EndingParts) {
    this.#parts = parts
  }

  /** `then` runs once, when nothing can be accepted any more, or the listener has not answered for 5 s. Asked again: nothing. */
  begin(then: () => void): void {
    if (this.#then !== undefined) return
    this.#then = then
    if (this.#parts.monitor.endListening()) this.#parts.later(() => this.#finish(0), LISTENER_ENDS_MS)
    else this.#finish(0)
  }

  /** What came from the listener, after all that it asks for was done. */
  heard(frames: readonly Frame[]): void {
    for (const frame of frames) if (frame.kind === 'ended') this.#finish(frame.acceptedMs)
  }

  #finish(acceptedMs: number): void {
    if (this.#then === undefined || this.#isOver) return
    this.#isOver = true
    if (acceptedMs > 0) this.#settle(acceptedMs)
    this.#then()
  }

  #settle(acceptedMs: number): void {
    const { horizon, now, log } = this.#parts
    try {
      settleHorizon(horizon, acceptedMs, now().wallMs)
    } catch (error) {
      log.warn(`after a reboot knocks may be refused for a while: ${reasonOf(error)}`)
    }
  }
}

/** What is left in the kernel by an end, as exit code and words: the gate, and the leases where nobody `closes` them. */
export function leave(closes?: { closeAll(): void }): [ExitCode, string] {
  if (closes === undefined) return [EXIT.ok, 'ended; the gate stays shut, leases run out']
  try {
    closes.closeAll()
  } catch (error) {
    return [EXIT.unavailable, `ended, but the leases could not be revoked and run out: ${reasonOf(error)}`]
  }
  return [EXIT.ok, 'ended, all leases revoked; the gate stays shut']
}
