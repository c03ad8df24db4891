/**
 * When the next knock for one host is due. Pure: clock and randomness are handed in. Specification: docs/OPERATIONS.md,
 * "Keepalive".
 */

/** A renewal follows the last one after a time between the two, drawn anew each time. */
export interface Rhythm {
  readonly leastMs: number
  readonly mostMs: number
}

/** Two renewals fit into a lease, so that one datagram may be lost. */
const SHARES_OF_LEASE = [0.35, 0.45] as const
const SHARES_OF_PERIOD = [0.8, 1] as const
/** What setTimeout takes: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 60_000
/** Shares of a retry's pause, so that many hosts do not come back at the same moment. */
const RETRY_SHARES = [0.75, 1.25] as const
/** A network that has only just come up loses datagrams: after the first knock there a second one comes soon. */
const SECOND_MS = [2000, 4000] as const

/** For leases of this length. */
export function rhythmOfLease(leaseMs: number): Rhythm {
  return rhythm(leaseMs, SHARES_OF_LEASE)
}

/** About every so often: never less often. */
export function rhythmOfPeriod(everyMs: number): Rhythm {
  return rhythm(everyMs, SHARES_OF_PERIOD)
}

function rhythm(ms: number, [least, most]: readonly [number, number]): Rhythm {
  return { leastMs: Math.min(least * ms, MAX_TIMER_MS), mostMs: Math.min(most * ms, MAX_TIMER_MS) }
}

export class Schedule {
  readonly #rhythm: Rhythm
  /** 0 ≤ x < 1. */
  readonly #random: () => number
  #dueMs: number
  #failures = 0
  /** A second knock follows the next one that goes well. */
  #isNewHere = false

  /** The first knock is due now. */
  constructor(rhythm: Rhythm, random: () => number, nowMs: number) {
    this.#rhythm = rhythm
    this.#random = random
    this.#dueMs = nowMs
  }

  get dueMs(): number {
    return this.#dueMs
  }

  /** It went well. */
  done(nowMs: number): void {
    const { leastMs, mostMs } = this.#rhythm
    const pauseMs = this.#between(leastMs, mostMs)
    this.#dueMs = nowMs + (this.#isNewHere ? Math.min(pauseMs, this.#between(...SECOND_MS)) : pauseMs)
    this.#isNewHere = false
    this.#failures = 0
  }

  /** It did not: again soon, then less and less often. */
  failed(nowMs: number): void {
    const pauseMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16))
    this.#failures++
    this.#dueMs = nowMs + pauseMs * this.#between(...RETRY_SHARES)
  }

  /** This machine is somebody else now, or was away: due now, whatever was before. */
  disturbed(nowMs: number): void {
    this.#dueMs = nowMs
    this.#failures = 0
    this.#isNewHere = true
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#random()
  }
}
