/**
 * The seven hashes that fwknop knows, as the digest in a packet's text and as its HMAC (RFC 2104). Both are base64 text
 * without `=`. Specification: docs/PROTOCOL.md, "fwknop". Pure.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { sha3_256, sha3_512 } from '@noble/hashes/sha3.js'
import { encodeBase64 } from './fwknop-base64.js'
import type { FwknopDigest, FwknopHmac } from './fwknop-types.js'

const HASHES = { md5, sha1, sha256, sha384, sha512, sha3_256, sha3_512 } as const

/** In the order of their numbers, from 1; where a length has two, the first is tried first. */
export const DIGESTS: readonly FwknopDigest[] = ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3_256', 'sha3_512']

/** How many characters a hash is as text. */
export const DIGEST_CHARS: Readonly<Record<FwknopDigest, number>> = {
  md5: 22,
  sha1: 27,
  sha256: 43,
  sha384: 64,
  sha512: 86,
  sha3_256: 43,
  sha3_512: 86,
}

/** The hash of these bytes as text. */
export function digestText(digest: FwknopDigest, bytes: Uint8Array): string {
  return encodeBase64(HASHES[digest](bytes))
}

/** The HMAC of these bytes as text. */
export function macText({ key, digest }: FwknopHmac, bytes: Uint8Array): string {
  return encodeBase64(hmac(HASHES[digest], key, bytes))
}

/** As macText for many messages under one key: what depends on the key alone is hashed once. */
export function preparedMac({ key, digest }: FwknopHmac): (bytes: Uint8Array) => string {
  const keyed = hmac.create(HASHES[digest], key)
  const mac = keyed.clone()
  const made = new Uint8Array(keyed.outputLen)
  return (bytes) => {
    keyed._cloneInto(mac).update(bytes).digestInto(made)
    return encodeBase64(made)
  }
}

/** Compares all characters of texts of one length, wherever they differ. */
export function isSameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
