/** The addresses that a host was found at, for a process that lives for months: a resolver that is away for a while is no reason to lose a lease. */
import type { Family } from '../wire/address.js'
import { type Destination, type Lookup, literalOf } from './resolve.js'

/** Names whose addresses change at each look-up are remembered so far back. */
const MOST = 64
/** What a resolver says that is there and has no such address. */
const NONE = ['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA', 'EAI_ADDRFAMILY']

export class KnownAddresses {
  readonly #host: string
  readonly #now = new Map<Family, readonly string[]>()
  #all: readonly Destination[] = []

  constructor(host: string) {
    this.#host = host
    const literal = literalOf(host)
    if (literal !== undefined) this.#all = [literal]
  }

  /** Those found last: one of each family. */
  get firsts(): readonly Destination[] {
    const literal = literalOf(this.#host)
    if (literal !== undefined) return [literal]
    return [...this.#now].flatMap(([family, [address]]) => (address === undefined ? [] : [{ address, family }]))
  }

  /** All that were found of late, the newest first. */
  get all(): readonly Destination[] {
    return this.#all
  }

  /** Looks up, and remembers; what is known already stands in for an answer that does not come. */
  remembering(lookup: Lookup): Lookup {
    return async (name, family) => {
      try {
        const found = await lookup(name, family)
        this.#now.set(family, found)
        const others = this.#all.filter((one) => one.family !== family || !found.includes(one.address))
        this.#all = [...found.map((address) => ({ address, family })), ...others].slice(0, MOST)
        return found
      } catch (error) {
        const known = this.#now.get(family)
        if (known !== undefined && !NONE.includes(String((error as NodeJS.ErrnoException).code))) return known
        this.#now.delete(family)
        throw error
      }
    }
  }
}
