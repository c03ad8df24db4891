/**
 * A host's addresses. Each family is looked up by itself, so that a dead or slow one does not hold up the other. Literal
 * addresses, link-local ones with a zone (`fe80::1%eth0`) too, are taken as they are and load no resolver.
 */
import { canonicalAddress, type Family, familyOf } from '../wire/address.js'
import { KnockError } from './error.js'

/** Where a datagram goes: an address as sockets take it (with its zone, where it has one). */
export interface Destination {
  readonly address: string
  readonly family: Family
}

/** All addresses of one family that a name has; rejects where there is none. `dns.lookup` in programs. */
export type Lookup = (name: string, family: Family) => Promise<readonly string[]>

/** One look-up for each family that may have addresses; each settles by itself. */
export type Resolution = readonly Promise<readonly Destination[]>[]

/** The system's resolver (getaddrinfo: /etc/hosts, DNS, mDNS), in its own order, one family. */
export const systemLookup: Lookup = async (name, family) => {
  const { lookup } = await import('node:dns')
  return new Promise((resolve, reject) => {
    lookup(name, { all: true, family, verbatim: true }, (error, found) => {
      if (error) reject(error)
      else resolve([...new Set(found.map(({ address }) => address))])
    })
  })
}

/**
 * Begins the look-up of a host's addresses of these families. Throws KnockError `resolve` where the host is a literal of
 * another family.
 */
export function resolve(host: string, families: readonly Family[], lookup: Lookup = systemLookup): Resolution {
  const literal = literalOf(host)
  if (literal !== undefined) {
    if (!families.includes(literal.family)) {
      throw new KnockError('resolve', `${host} is an IPv${literal.family} address: leave -${families[0]} out`)
    }
    return [Promise.resolve([literal])]
  }
  return families.map(async (family) => {
    const addresses = await lookup(host, family)
    return addresses.map((address) => ({ address, family }))
  })
}

/** The sentence for a host none of whose families gave an address. */
export function unresolved(host: string, families: readonly Family[], reasons: readonly unknown[]): KnockError {
  const kind = families.length === 1 ? `IPv${families[0]} address` : 'address'
  const codes = [...new Set(reasons.map((reason) => (reason as NodeJS.ErrnoException).code ?? String(reason)))]
  const cause = codes.length > 0 ? ` (${codes.join(', ')})` : ''
  return new KnockError('resolve', `${host}: no ${kind} found${cause}: check the name, and that its DNS answers`)
}

/** The address that the text itself is, brackets of a URL and a zone allowed; undefined: a name. */
export function literalOf(host: string): Destination | undefined {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host
  const percent = bare.indexOf('%')
  const plain = canonicalAddress(percent < 0 ? bare : bare.slice(0, percent))
  if (plain === undefined) return undefined
  const family = familyOf(plain)
  if (percent < 0) return { address: plain, family }
  const zone = bare.slice(percent)
  return family === 6 && zone.length > 1 ? { address: plain + zone, family } : undefined
}

/** Asks for each name and family once. */
export function remembered(lookup: Lookup): Lookup {
  const known = new Map<string, ReturnType<Lookup>>()
  return (name, family) => {
    const key = `${family} ${name}`
    const found = known.get(key) ?? lookup(name, family)
    known.set(key, found)
    return found
  }
}
