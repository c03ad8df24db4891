/** Which addresses a list of prefixes has. Pure. */
import { addressToKey } from '../wire/address.js'
import type { Prefix } from './fwknop-stanza.js'

/**
 * Tells whether an address (4 or 16 bytes, as addressToKey gives it) is in one of the prefixes; a prefix has no address of the other
 * family. Throws RangeError as addressToKey does.
 */
export function membership(prefixes: readonly Prefix[]): (address: Uint8Array) => boolean {
  const prepared = prefixes.map(({ address, length }) => ({ bytes: addressToKey(address), length }))
  return (address) =>
    prepared.some(({ bytes, length }) => bytes.length === address.length && begins(address, bytes, length))
}

/** Whether the first `length` bits are the same. */
function begins(bytes: Uint8Array, prefix: Uint8Array, length: number): boolean {
  const whole = length >> 3
  for (let i = 0; i < whole; i++) if (bytes[i] !== prefix[i]) return false
  const rest = length & 7
  return rest === 0 || (bytes[whole]! ^ prefix[whole]!) >> (8 - rest) === 0
}
