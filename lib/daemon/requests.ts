/**
 * The listener's requests on their way to the rule manager: gathered by datagram, held again against our own configuration, done,
 * told, and answered to who waits.
 */
import type { ServerConfig } from '../config/types.js'
import type { RuleManager } from '../firewall/manager.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import type { Now } from '../replay/clock.js'
import type { Chronicle } from './chronicle.js'
import type { Frame } from './frames.js'
import { type Perform, performTogether, performWelcome, type Wish } from './recheck.js'
import type { Message } from './settings.js'

type RequestFrame = Extract<Frame, { kind: 'request' }>
type Asked = Wish & Pick<RequestFrame, 'sequence' | 'protocol'>

export interface RequestsParts {
  now(): Now
  readonly manager: Pick<RuleManager, 'perform' | 'performTogether' | 'noteSource'>
  readonly chronicle: Chronicle
  /** By now. */
  config(): ServerConfig
  send(message: Message): void
}

export class Requests {
  readonly #parts: RequestsParts
  /** Those of one datagram that are here, and how many are not yet. */
  #parcel: Asked[] = []
  #missing = 0
  #whole: Asked[][] = []

  constructor(parts: RequestsParts) {
    this.#parts = parts
  }

  /** One that came. What is begun and not gone on with is nobody's: a listener that was killed said it, or a hostile one. */
  add({ kind: _, lifetimeSeconds, more, ...request }: RequestFrame): void {
    if (this.#parcel.length > 0 && more !== this.#missing - 1) this.#parcel = []
    this.#parcel.push({ ...request, lifetimeMs: lifetimeSeconds * 1000 })
    this.#missing = more
    if (more > 0) return
    this.#whole.push(this.#parcel)
    this.#parcel = []
  }

  /** Another listener begins: what the last one left half said is gone. */
  forget(): void {
    this.#parcel = []
  }

  /** Does what came so far, in its order: what stands alone, one behind the other, in one transaction. */
  perform(): void {
    const whole = this.#whole
    this.#whole = []
    const { manager } = this.#parts
    let alone: Asked[] = []
    const performAlone = () => {
      if (alone.length > 0) this.#perform(alone, performWelcome, (some) => manager.perform(some))
      alone = []
    }
    for (const parcel of whole) {
      if (parcel.length === 1) {
        alone.push(...parcel)
        continue
      }
      performAlone()
      this.#perform(parcel, performTogether, (some) => manager.performTogether(some))
    }
    performAlone()
  }

  /** Does and tells these at once: the administrator's. */
  performNow(requests: readonly LeaseRequest[]): LeaseOutcome[] {
    const { chronicle, config, manager, now } = this.#parts
    const outcomes = performWelcome(requests, config(), now().wallMs, (some) => manager.perform(some))
    chronicle.outcomes(requests, outcomes)
    return outcomes
  }

  /** Who waits is answered first: the log's line and the lane for the next time are nothing to him. */
  #perform(requests: readonly Asked[], judged: typeof performWelcome, perform: Perform): void {
    const { chronicle, config, manager, now, send } = this.#parts
    const outcomes = judged(requests, config(), now().wallMs, perform)
    const isDone = outcomes.map(({ kind }) => kind !== 'refused')
    for (const [i, { sequence }] of requests.entries())
      if (sequence !== 0) send({ kind: 'result', sequence, isDone: isDone[i]! })
    chronicle.outcomes(requests, outcomes)
    // Who came in by letmein or fwknop has a lane of his own for a while.
    for (const [i, { protocol, address }] of requests.entries())
      if (isDone[i] && protocol !== 'spa') manager.noteSource(protocol, address)
  }
}
