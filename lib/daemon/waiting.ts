/** Answers that wait for what the monitor did with a request, by sequence number. Bounded in number and time. Pure. */
import type { Answer } from '../gate/verdict.js'

const MOST = 1024

export class Waiting {
  readonly #answers = new Map<number, { readonly answer: Answer; readonly untilMs: number }>()
  #last = 0

  /** A number under which the answer is found again for `forMs`; 1–4294967295. */
  add(answer: Answer, nowMs: number, forMs: number): number {
    for (const [sequence, { untilMs }] of this.#answers) {
      if (this.#answers.size < MOST && untilMs > nowMs) break
      this.#answers.delete(sequence)
    }
    this.#last = (this.#last % 0xffff_ffff) + 1
    this.#answers.set(this.#last, { answer, untilMs: nowMs + forMs })
    return this.#last
  }

  /** The answer, once; undefined where nobody waits any more. */
  take(sequence: number, nowMs: number): Answer | undefined {
    const found = this.#answers.get(sequence)
    this.#answers.delete(sequence)
    return found !== undefined && found.untilMs > nowMs ? found.answer : undefined
  }
}
