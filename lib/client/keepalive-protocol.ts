/**
 * Which protocol keeps a lease open where the client takes `auto`. That looks at the port, and a port that is open already
 * tells nothing about what opened it, so it is asked at the beginning, and once more when every older lease is over; what it
 * found is kept to, so that a service does not meet a probe with each renewal. Pure.
 */
export type Settled = 'spa' | 'letmein' | 'auto'

export class Settling {
  readonly #leaseMs: number
  #startMs: number | undefined
  #hasAsked = false
  #settled: Settled = 'auto'

  /** `leaseMs`: no lease that was there before lasts longer. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** What to knock by now. `isNew`: for an address that may have no lease yet. */
  next(nowMs: number, isNew: boolean): Settled {
    if (isNew || this.#startMs === undefined) this.#restart(nowMs)
    if (this.#settled !== 'auto') return this.#settled
    return this.#hasAsked && !this.#isProof(nowMs) ? 'spa' : 'auto'
  }

  /** What came of it. `neededExchange`: `auto` found the port shut for the one and open for the other. */
  learn(
    by: Settled,
    nowMs: number,
    { isDone, neededExchange = false }: { isDone: boolean; neededExchange?: boolean },
  ): void {
    if (!isDone) this.#restart(nowMs)
    else if (by === 'auto') {
      if (neededExchange) this.#settled = 'letmein'
      else if (this.#isProof(nowMs)) this.#settled = 'spa'
      this.#hasAsked = true
    }
  }

  /** Whether only what was sent since the start can have kept the port open. */
  #isProof(nowMs: number): boolean {
    return nowMs - this.#startMs! > this.#leaseMs
  }

  #restart(nowMs: number): void {
    this.#startMs = nowMs
    this.#hasAsked = false
    this.#settled = 'auto'
  }
}
