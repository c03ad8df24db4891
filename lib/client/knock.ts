/**
 * The datagrams of one knock: bytes for each address, drawn so that no two of them have anything in common. Specification:
 * docs/PROTOCOL.md, "Datagram" and "Instant tokens". Pure: time and randomness are handed in.
 */
import type { Operation } from '../gate/verdict.js'
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import { MAX_PAD, NONCE_BYTES, seal } from '../wire/spa.js'
import { deriveKey, slotOf, TAGS_PER_SLOT, TOKENS_PER_SLOT, tagOf, tokenOf } from '../wire/spa-keys.js'

/** Who knocks: a user's 32-byte key, and the realm of the server knocked at. */
export interface Identity {
  readonly user: UserId
  readonly key: Uint8Array
  readonly realm: string
}

/** What is asked for at each address. */
export interface Wish {
  readonly operation: Operation
  readonly resource: ResourceId
  /** 0: the server's own. */
  readonly lifetimeSeconds: number
  /** None: the address that the datagram comes from. */
  readonly address?: IpAddress
  /**
   * `no`: one ordinary datagram. `first`: an instant one, which the kernel itself acts on, and an ordinary one behind it.
   * `alone`: the instant one only. Not for a wish with a lifetime or an address, and for nothing but `open`.
   */
  readonly instant: 'no' | 'first' | 'alone'
}

/** As many random bytes as asked for. */
export type Random = (bytes: number) => Uint8Array

/**
 * Makes the datagrams of one knock, retries and further resources too. It remembers which tag and token indices it has
 * used in a slot, and repeats none of them while it has others left.
 */
export class Knocker {
  readonly #identity: Identity
  readonly #random: Random
  readonly #keys: { tag: Uint8Array; seal: Uint8Array; instant?: Uint8Array }
  readonly #left = new Map<string, number[]>()

  /** Throws RangeError where the key has not 32 bytes. */
  constructor(identity: Identity, random: Random) {
    this.#identity = identity
    this.#random = random
    this.#keys = {
      tag: deriveKey(identity.key, identity.realm, 'tag'),
      seal: deriveKey(identity.key, identity.realm, 'seal'),
    }
  }

  /** The datagrams for one address, 86–256 bytes each, in the order to send them. Throws RangeError where a field does not fit. */
  datagrams(wish: Wish, timeMs: number): Uint8Array[] {
    const made: Uint8Array[] = []
    if (wish.instant !== 'no') made.push(this.#datagram(wish, timeMs, true))
    if (wish.instant !== 'alone') made.push(this.#datagram(wish, timeMs, false))
    return made
  }

  #datagram({ operation, resource, lifetimeSeconds, address }: Wish, timeMs: number, instant: boolean): Uint8Array {
    const { user } = this.#identity
    const slot = slotOf(timeMs)
    const tag = tagOf(this.#keys.tag, slot, this.#draw(`tag ${slot}`, TAGS_PER_SLOT))
    const nonce = this.#random(NONCE_BYTES)
    if (instant) nonce.set(this.#token(slot, resource))
    const knock = {
      operation,
      user,
      resource,
      timeMs,
      lifetimeSeconds,
      instant,
      ...(address !== undefined && { address }),
    }
    return seal(knock, this.#keys.seal, tag, nonce, below(MAX_PAD + 1, this.#random))
  }

  #token(slot: number, resource: ResourceId): Uint8Array {
    this.#keys.instant ??= deriveKey(this.#identity.key, this.#identity.realm, 'instant')
    return tokenOf(this.#keys.instant, slot, resource, this.#draw(`token ${slot} ${resource}`, TOKENS_PER_SLOT))
  }

  /** An index at random among those not yet drawn from this deck; when all are, the deck is full again. */
  #draw(deck: string, size: number): number {
    let left = this.#left.get(deck)
    if (left === undefined || left.length === 0) {
      left = Array.from({ length: size }, (_, index) => index)
      this.#left.set(deck, left)
    }
    return left.splice(below(left.length, this.#random), 1)[0]!
  }
}

/** A uniformly random whole number from 0 to limit − 1 (limit up to 65536), without the bias of a plain remainder. */
export function below(limit: number, random: Random): number {
  const fair = 65_536 - (65_536 % limit)
  for (;;) {
    const [high, low] = random(2)
    const drawn = high! * 256 + low!
    if (drawn < fair) return drawn % limit
  }
}
