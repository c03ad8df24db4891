/**
 * fwknop's keys: a passphrase's bytes, or base64. No message shows anything of them. Pure; never throws.
 */
import type { FwknopDigest, FwknopKeys, FwknopMode } from '../wire/fwknop-types.js'
import type { Reading } from './values.js'

export const MOST_KEY_BYTES = 32
export const MOST_HMAC_KEY_BYTES = 136
/** Before 2.5 no more of a key counted. */
const LEGACY_KEY_BYTES = 16
const UNSET = '__CHANGEME__'

/** The bytes of a passphrase as it stands in the file. */
export function passphrase(text: string): Reading<Uint8Array> {
  if (text === UNSET) return { misfit: UNSET, expected: 'a key, as from fwknop --key-gen' }
  return { value: new Uint8Array(Buffer.from(text, 'utf8')) }
}

/** The bytes of a base64 text, with or without `=` at its end. Bits that are left over do not count, as in fwknop. */
export function base64Key(text: string): Reading<Uint8Array> {
  if (text === UNSET) return { misfit: UNSET, expected: 'a key, as from fwknop --key-gen' }
  const [, digits] = /^([A-Za-z0-9+/]+)={0,2}$/.exec(text) ?? []
  if (digits === undefined || digits.length % 4 === 1)
    return { misfit: `${text.length} characters`, expected: 'whole base64' }
  return { value: new Uint8Array(Buffer.from(digits, 'base64')) }
}

export interface KeyParts {
  readonly key: Uint8Array
  readonly mode: FwknopMode
  readonly hmacKey: Uint8Array | undefined
  readonly hmacDigest: FwknopDigest
}

/** The keys of a stanza, or why fwknop would not take them: it starts with keys that are too long, and refuses every packet. */
export function fwknopKeys({ key, mode, hmacKey, hmacDigest }: KeyParts): FwknopKeys | { readonly wrong: string } {
  const used = mode === 'legacy' ? key.subarray(0, LEGACY_KEY_BYTES) : key
  if (used.length > MOST_KEY_BYTES)
    return {
      wrong: `a KEY of ${used.length} bytes, with which fwknop refuses every packet: expected 1–${MOST_KEY_BYTES}`,
    }
  if (hmacKey === undefined) return { key: used, mode }
  if (hmacKey.length > MOST_HMAC_KEY_BYTES)
    return {
      wrong: `an HMAC key of ${hmacKey.length} bytes, with which fwknop refuses every packet: expected 1–${MOST_HMAC_KEY_BYTES}`,
    }
  if (Buffer.compare(key, hmacKey) === 0) return { wrong: 'KEY and HMAC_KEY are the same: expected two keys' }
  return { key: used, mode, hmac: { key: hmacKey, digest: hmacDigest } }
}
