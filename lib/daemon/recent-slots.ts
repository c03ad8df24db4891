/** The slots that were put into the kernel last: what is in there, also where the clock was set meanwhile. Bounded, so a clock that was years ahead costs no more. */
import type { DueSlot } from '../slots/schedule.js'

export class RecentSlots {
  readonly #most: number
  #slots: readonly number[] = []

  constructor(most: number) {
    this.#most = most
  }

  add(slots: readonly DueSlot[]): void {
    const added = slots.map(({ slot }) => slot)
    this.#slots = [...this.#slots.filter((slot) => !added.includes(slot)), ...added].slice(-this.#most)
  }

  /** These, and those from `first` to `last` of which only the highest can be in the kernel. */
  with(first: number, last: number): DueSlot[] {
    const slots = new Set(this.#slots)
    for (let slot = Math.max(0, first, last - this.#most); slot <= last; slot++) slots.add(slot)
    return [...slots].map((slot) => ({ slot, timeoutMs: 0 }))
  }
}
