/**
 * How much is told of refusals that are alike: whoever has a key, or a recording, may send what is refused as fast as he likes,
 * and must fill neither the log nor the channel. Time is handed in.
 */

/** At once, and then one in so many ms, for each user and reason. */
const BURST = 20
const EVERY_MS = 5_000
/** Users and reasons that are remembered; the one that was quiet longest makes room. */
const MOST = 1024

interface Account {
  left: number
  filledAt: number
  leftOut: number
}

export class Restraint {
  readonly #accounts = new Map<string, Account>()

  /** How many like it were left out before, where this one is to be told; undefined: it is left out, too. `monoMs` is monotonic. */
  admit(kind: string, monoMs: number): number | undefined {
    const account = this.#take(kind, monoMs)
    account.left = Math.min(BURST, account.left + (monoMs - account.filledAt) / EVERY_MS)
    account.filledAt = monoMs
    if (account.left < 1) {
      account.leftOut = Math.min(0xffff_ffff, account.leftOut + 1)
      return undefined
    }
    account.left--
    const { leftOut } = account
    account.leftOut = 0
    return leftOut
  }

  #take(kind: string, monoMs: number): Account {
    const account = this.#accounts.get(kind) ?? { left: BURST, filledAt: monoMs, leftOut: 0 }
    this.#accounts.delete(kind)
    this.#accounts.set(kind, account)
    if (this.#accounts.size > MOST) this.#accounts.delete(this.#accounts.keys().next().value!)
    return account
  }
}
