/**
 * A look at the rules for each of somebody else's changes would be the whole processor's work while a ruleset of thousands
 * of chains is loaded: each event asks for one, and each takes as long as that ruleset is large. So the first is at once, and
 * between two there is a rest, longer than the look was but never so long that ports stay open for it. Clock and timer are
 * handed in.
 */

/** A fifth of the time is spent on looking. */
const REST_FACTOR = 4
const LEAST_REST_MS = 10
const LONGEST_REST_MS = 200

export interface Timing {
  /** Monotonic ms. */
  now(): number
  /** Runs it after so many ms; 0: with the next turn of the event loop. */
  later(ms: number, run: () => void): void
}

/** A function that has `look` called soon. What came before a look began is seen by that one. */
export function unhurried(look: () => void, { now, later }: Timing): () => void {
  let isWaiting = false
  let restsUntil = Number.NEGATIVE_INFINITY
  return () => {
    if (isWaiting) return
    isWaiting = true
    later(Math.max(0, restsUntil - now()), () => {
      isWaiting = false
      const begunAt = now()
      look()
      const endedAt = now()
      const rest = REST_FACTOR * (endedAt - begunAt)
      restsUntil = endedAt + Math.min(LONGEST_REST_MS, Math.max(LEAST_REST_MS, rest))
    })
  }
}
