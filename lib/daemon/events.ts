/** The last knocks and refusals, for `posternd log`: a bounded ring in the monitor's memory, numbered from 1. */
import type { Operation } from '../gate/verdict.js'

/** One thing that happened. Ids are text of eight digits; names are there where the configuration has them. */
export interface KnockEvent {
  readonly number: number
  /** Unix ms. */
  readonly atMs: number
  readonly event: 'opened' | 'prolonged' | 'unchanged' | 'revoked' | 'absent' | 'refused'
  /** The line of the log. */
  readonly message: string
  /** Where it came from, or whom it was opened for. */
  readonly address: string
  readonly protocol?: 'spa' | 'letmein' | 'fwknop'
  readonly operation?: Operation
  /** None: the administrator. */
  readonly user?: string
  readonly userName?: string
  readonly resource?: string
  readonly resourceName?: string
  /** The word of what was refused. */
  readonly reason?: string
  readonly detail?: string
  /** How long the lease has, ms. */
  readonly remainingMs?: number
  /** The kernel opened it by itself. */
  readonly instant?: true
}

export const MOST_EVENTS = 1000

export class EventRing {
  readonly #events: KnockEvent[] = []
  #count = 0

  add(event: Omit<KnockEvent, 'number'>): void {
    this.#events[this.#count % MOST_EVENTS] = { number: ++this.#count, ...event }
  }

  /** Those above this number, at most the last 1,000, in their order; how many there ever were says whether some are lost. */
  since(number: number): { readonly events: readonly KnockEvent[]; readonly count: number } {
    const oldest = Math.max(0, this.#count - MOST_EVENTS, number)
    const events: KnockEvent[] = []
    for (let at = oldest; at < this.#count; at++) events.push(this.#events[at % MOST_EVENTS]!)
    return { events, count: this.#count }
  }
}
