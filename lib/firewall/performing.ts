/** Requests as transactions: decided one after the other, done all at once, and what belongs together all or none. */
import type { ServerConfig } from '../config/types.js'
import type { LeaseBook } from './book.js'
import { Draft } from './draft.js'
import type { LeaseDesk } from './lease-desk.js'
import { isGone, refusedBy } from './refused.js'
import type { Kernel, LeaseOutcome, LeaseRequest } from './types.js'

/** So many requests in one transaction: a socket's send buffer is the bound. */
const REQUESTS_AT_ONCE = 400

export interface PerformingParts {
  readonly kernel: Kernel
  readonly book: LeaseBook
  readonly desk: LeaseDesk
  /** Monotonic ms. */
  now(): number
  /** Puts our part of the ruleset back. Throws FirewallError. */
  restore(): void
}

export class Performing {
  readonly #parts: PerformingParts

  constructor(parts: PerformingParts) {
    this.#parts = parts
  }

  /** What became of each request, in their order; all in one transaction, or, where that fails, each in its own. */
  each(requests: readonly LeaseRequest[], config: ServerConfig): LeaseOutcome[] {
    const outcomes: LeaseOutcome[] = []
    for (let i = 0; i < requests.length; i += REQUESTS_AT_ONCE)
      outcomes.push(...this.#perform(requests.slice(i, i + REQUESTS_AT_ONCE), config, { isTogether: false }))
    return outcomes
  }

  /** The same of requests that stand or fall together: where one is refused, none is done, and its refusal is that of all. */
  together(requests: readonly LeaseRequest[], config: ServerConfig): LeaseOutcome[] {
    return this.#perform(requests, config, { isTogether: true })
  }

  #perform(
    requests: readonly LeaseRequest[],
    config: ServerConfig,
    { isTogether, again = true }: { isTogether: boolean; again?: boolean },
  ): LeaseOutcome[] {
    const { kernel, book, desk } = this.#parts
    const draft = new Draft(book)
    const nowMs = this.#parts.now()
    try {
      const outcomes = requests.map((request) => desk.decide(request, draft, config, nowMs))
      const refused = isTogether ? outcomes.find(({ kind }) => kind === 'refused') : undefined
      if (refused !== undefined) {
        draft.undo()
        return requests.map(() => refused)
      }
      desk.refreshLive(new Set(requests.map(({ resource }) => resource)), draft, nowMs)
      draft.applyTo(kernel)
      return outcomes
    } catch (error) {
      draft.undo()
      if (requests.length > 1 && !isTogether)
        return requests.flatMap((request) => this.#perform([request], config, { isTogether, again }))
      const failure = again && isGone(error) ? this.#restored() : error
      if (failure !== undefined) return requests.map(() => refusedBy(failure))
      return this.#perform(requests, config, { isTogether, again: false })
    }
  }

  /** Somebody removed our sets and the event is not here yet. What kept them from being put back; undefined: nothing did. */
  #restored(): unknown {
    try {
      this.#parts.restore()
      return undefined
    } catch (error) {
      return error
    }
  }
}
