/**
 * Users with keys, and their datagrams. A user has four tags a slot, and each lets up five datagrams a second: many knocks need
 * many users.
 */
import { randomBytes } from 'node:crypto'
import { Knocker, type Wish } from '../../lib/client/knock.js'
import type { ResourceId } from '../../lib/wire/ids.js'
import { formatId } from '../../lib/wire/ids.js'

export const REALM = 'lab.example'

type Asked = Pick<Wish, 'resource' | 'address'> & { readonly instant?: Wish['instant'] }

export class Crowd {
  /** Lines of [KEYS]. */
  readonly keys: readonly string[]
  readonly #knockers: readonly Knocker[]
  #next = 0

  /** Users 1 to `size`. */
  constructor(size: number) {
    const ids = Array.from({ length: size }, (_, index) => index + 1)
    const keys = ids.map(() => randomBytes(32))
    this.keys = ids.map((user, index) => `${formatId(user)} = ${keys[index]!.toString('hex')}`)
    this.#knockers = ids.map(
      (user, index) => new Knocker({ user, key: keys[index]!, realm: REALM }, (bytes) => randomBytes(bytes)),
    )
  }

  /** A knock made now, by one user after the other. */
  knock({ resource, address, instant = 'no' }: Asked): Uint8Array {
    const knocker = this.#knockers[this.#next++ % this.#knockers.length]!
    const wish: Wish = { operation: 'open', resource, lifetimeSeconds: 0, instant, ...(address && { address }) }
    return knocker.datagrams(wish, Date.now())[0]!
  }
}

/** Lines of [RESOURCES], one TCP port each from `firstPort` on; their numbers begin with 1. */
export function resourceLines(count: number, firstPort: number, more: string): string[] {
  return Array.from({ length: count }, (_, index) => `${formatId(index + 1)} = port: ${firstPort + index} / ${more}`)
}

/** Further addresses to open for, each another: 10.0.0.0 + n. */
export function addressNumber(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

/** Which of `count` resources comes n-th, in turn. */
export function resourceInTurn(n: number, count: number): ResourceId {
  return (n % count) + 1
}
