/** How often each thing happened, for `posternd status`: outcomes counted here, and what the listener says that it refused. */
import { REASON_LIST } from './reasons.js'

export class Tally {
  readonly #counts = new Map<string, number>()

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  /** The listener's count of a reason, by its place in the list; one that is not in it counts nothing. */
  refused(index: number, count: number): void {
    const reason = REASON_LIST[index]
    if (reason !== undefined) this.#counts.set(`refused ${reason}`, count)
  }

  counters(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }
}
