/**
 * Networks as `ADDRESS/LENGTH` in canonical text. Pure; never throws.
 */
import { addressFromBytes, addressToKey, canonicalAddress, type IpAddress } from '../wire/address.js'
import { beginAlike, maskedTo } from '../wire/prefix.js'
import { type Form, misfit } from './values.js'

/** One network, or an address for a network of one. What lies right of the prefix must be zero: else it means two things. */
export const network: Form<string> = (text) => {
  const slash = text.indexOf('/')
  const address = canonicalAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return misfit(text, 'a network, as 192.0.2.0/24 or 2001:db8::/32')
  const bytes = addressToKey(address)
  const bits = bytes.length * 8
  const prefix = slash < 0 ? `${bits}` : text.slice(slash + 1)
  const isMapped = text.includes(':') && bits === 32
  if (isMapped || !/^[0-9]{1,3}$/.test(prefix) || Number(prefix) > bits)
    return misfit(text, `a prefix length of 0–${bits}`)
  const masked = addressFromBytes(maskedTo(bytes, Number(prefix)))
  return masked === address
    ? { value: `${address}/${Number(prefix)}` }
    : misfit(text, `the network itself, ${masked}/${prefix}`)
}

/** Whether an address is in a network of canonical text. */
export function isWithin(address: IpAddress, of: string): boolean {
  const [first, prefix] = of.split('/') as [string, string]
  const bytes = addressToKey(address)
  const network = addressToKey(first)
  return bytes.length === network.length && beginAlike(bytes, network, Number(prefix))
}

/** Two networks of a list that have addresses in common, or undefined. nft takes no such pair in one set. */
export function overlapping(networks: readonly string[]): readonly [string, string] | undefined {
  for (const [i, a] of networks.entries()) for (const b of networks.slice(i + 1)) if (meet(a, b)) return [a, b]
  return undefined
}

function meet(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split('/') as [string, string])
  const [x, y] = [addressToKey(left![0]), addressToKey(right![0])]
  return x.length === y.length && beginAlike(x, y, Math.min(Number(left![1]), Number(right![1])))
}
