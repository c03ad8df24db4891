/**
 * When a listener's hello is answered. The answer is as long as the configuration, so a listener that says hello again and
 * again, and reads nothing, would fill the monitor's memory: a few answers a second, and none before the last was read. The
 * starter never starts listeners as fast. Pure.
 */

const EVERY_MS = 250

export class Greeting {
  #newcomer: Uint8Array | undefined
  #isClosed = false
  #greetedAt = Number.NEGATIVE_INFINITY

  /** Somebody waits. Only the last who said hello is there still. */
  hello(nonce: Uint8Array): void {
    this.#newcomer = nonce
  }

  /** Nobody is let in any more. */
  close(): void {
    this.#isClosed = true
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The nonce to answer now, told once; undefined where nobody waits or it is too early: ask again with the next tick. */
  take(monoMs: number, unreadBytes: number): Uint8Array | undefined {
    const nonce = this.#newcomer
    if (nonce === undefined || this.#isClosed || unreadBytes > 0 || monoMs - this.#greetedAt < EVERY_MS)
      return undefined
    this.#newcomer = undefined
    this.#greetedAt = monoMs
    return nonce
  }
}
