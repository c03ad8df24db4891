/** Which addresses a list of prefixes has. Pure. */
import { addressToKey } from '../wire/address.js'
import { beginAlike } from '../wire/prefix.js'
import type { Prefix } from './fwknop-stanza.js'

/**
 * Tells whether an address (4 or 16 bytes, as addressToKey gives it) is in one of the prefixes; a prefix has no address of the other
 * family. Throws RangeError as addressToKey does.
 */
export function membership(prefixes: readonly Prefix[]): (address: Uint8Array) => boolean {
  const prepared = prefixes.map(({ address, length }) => ({ bytes: addressToKey(address), length }))
  return (address) =>
    prepared.some(({ bytes, length }) => bytes.length === address.length && beginAlike(address, bytes, length))
}
