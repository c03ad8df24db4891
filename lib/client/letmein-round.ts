/**
 * One resource at all addresses of a host, all at the same time. Whoever is there says so by a CHALLENGE before the quickest
 * says COMEIN, as a rule: so an address that is dead costs nothing, and one that is slower is waited for all the same, for
 * the connection that comes after may take either.
 */
import type { Family } from '../wire/address.js'
import type { Visit, VisitOutcome } from './letmein-visit.js'
import type { Destination, Resolution } from './resolve.js'

/** Once an address has said COMEIN, those that have not shown that they are there have this long. */
const SILENT_MS = 50
/** And those that have, this long: a lost datagram is sent again once. */
const LIVING_MS = 1500

export interface Answer extends VisitOutcome {
  readonly to: Destination
}

export class Round {
  /** What each address answered, when all are told. Rejects with what `visit` throws. */
  readonly over: Promise<readonly Answer[]>
  readonly #visit: (to: Destination) => Visit
  readonly #isEveryFamilyWanted: boolean
  readonly #visits = new Map<Destination, Visit>()
  readonly #answers: Answer[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Families whose look-up is still waited for. */
  #lookups: number
  #isOver = false
  #finish: (answers: readonly Answer[]) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  /** Begins, at each family's addresses as soon as they are known. A look-up that fails is nobody's answer. */
  constructor(resolution: Resolution, isEveryFamilyWanted: boolean, visit: (to: Destination) => Visit) {
    this.#visit = visit
    this.#isEveryFamilyWanted = isEveryFamilyWanted
    this.#lookups = resolution.length
    this.over = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#reject = reject
    })
    for (const family of resolution)
      family.then(
        (found) => this.#arrive(found),
        () => this.#arrive([]),
      )
  }

  /** Ends it now: what is not told is left. */
  leave(): void {
    this.#lookups = 0
    this.#leave(() => true)
    this.#endIfAllTold()
  }

  #arrive(found: readonly Destination[]): void {
    if (this.#isOver || this.#lookups === 0) return
    this.#lookups--
    try {
      for (const to of found) {
        const visit = this.#visit(to)
        this.#visits.set(to, visit)
        void visit.over.then((outcome) => this.#told(to, outcome))
      }
    } catch (error) {
      this.#end()
      this.#reject(error)
    }
    this.#endIfAllTold()
  }

  #told(to: Destination, outcome: VisitOutcome): void {
    this.#visits.delete(to)
    this.#answers.push({ to, ...outcome })
    if (outcome.end === 'comein') this.#hurry(to.family)
    this.#endIfAllTold()
  }

  /** Somebody said COMEIN: the others have a little time left; with every family wanted, those of this one. */
  #hurry(family: Family): void {
    const isMeant = (to: Destination) => !this.#isEveryFamilyWanted || to.family === family
    this.#after(SILENT_MS, () => {
      if (!this.#isEveryFamilyWanted) this.#lookups = 0
      this.#leave((visit, to) => isMeant(to) && !visit.isAlive)
      this.#endIfAllTold()
    })
    this.#after(LIVING_MS, () => this.#leave((_, to) => isMeant(to)))
  }

  #after(ms: number, act: () => void): void {
    this.#timers.add(setTimeout(act, ms))
  }

  #leave(isMeant: (visit: Visit, to: Destination) => boolean): void {
    for (const [to, visit] of this.#visits) if (isMeant(visit, to)) visit.leave()
  }

  #endIfAllTold(): void {
    if (this.#isOver || this.#lookups > 0 || this.#visits.size > 0) return
    this.#end()
    this.#finish(this.#answers)
  }

  #end(): void {
    this.#isOver = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const visit of this.#visits.values()) visit.leave()
  }
}
