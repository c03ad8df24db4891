/**
 * What both sides can say aloud to see whether they have the same key and realm: 8 hex digits, of the tag of slot 0, which no
 * datagram ever bears. 32 bits of a pseudo-random function say nothing of a 256-bit key. Specification: docs/PROTOCOL.md, "Key check".
 */
import { deriveKey, tagOf } from './spa-keys.js'

/** Throws RangeError where the key has not 32 bytes. */
export function keyCheck(key: Uint8Array, realm: string): string {
  return Buffer.from(tagOf(deriveKey(key, realm, 'tag'), 0, 0))
    .toString('hex', 0, 4)
    .toUpperCase()
}
