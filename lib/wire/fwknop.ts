/**
 * One packet of fwknop's, the whole payload of a datagram: base64 text, encrypted, with an HMAC at its end where one is configured.
 * Specification: docs/PROTOCOL.md, "fwknop". Pure: time, salt and the 16 random digits are handed in.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64, encodeBase64, isBase64Byte, latin1Bytes, latin1Of } from './fwknop-base64.js'
import { decrypt, encrypt, isUsableKey, MAX_KEY_BYTES } from './fwknop-cipher.js'
import { DIGEST_CHARS, isSameText, macText } from './fwknop-digest.js'
import { decodeText, encodeText, type FwknopMessage, type FwknopRefusal } from './fwknop-text.js'
import type { FwknopDigest, FwknopHmac, FwknopKeys } from './fwknop-types.js'

/** What every packet would begin with. It is never sent, but the HMAC is of it too. */
const PREFIX = 'U2FsdGVkX1'
const PREFIX_BYTES = latin1Bytes(PREFIX)
export const MAX_HMAC_KEY_BYTES = 136
/** libfko's least, and one more than its most. A real packet has 140 characters or more. */
const MIN_CHARS = 36
const END_CHARS = 1500
/** From here on libfko takes what is encrypted for GnuPG's: with an HMAC counted with the prefix, without one as it is sent. */
const GPG_CHARS = 400
/** fwknopd without ENABLE_CMD_EXEC takes a whole packet from 400 on for GnuPG's: longer ones it does not try. */
export const MAX_FWKNOPD_CHARS = GPG_CHARS - 1
/** The longest packet that can be opened: 389 characters and the longest HMAC. */
export const MAX_CHARS = GPG_CHARS - 1 - PREFIX.length + DIGEST_CHARS.sha512

/** A packet of a possible length and alphabet: its characters behind the prefix. */
export interface FwknopPacket {
  readonly prefixed: Uint8Array
}

/** The text that is sent. Throws RangeError where keys, salt (8 bytes) or a field do not fit, or where no server could read it. */
export function sealFwknop(message: FwknopMessage, keys: FwknopKeys, salt: Uint8Array): string {
  checkKeys(keys)
  const text = encodeBase64(encrypt(encodeText(message), keys.key, keys.mode, salt))
  if (isTakenForGpg(text.length, keys)) throw new RangeError(`message of ${text.length} characters: expected fewer`)
  const mac = keys.hmac === undefined ? '' : macText(keys.hmac, latin1Bytes(text))
  return text.slice(PREFIX.length) + mac
}

/** The 16 digits of 8 random bytes. Throws RangeError at another length. */
export function randDigits(random: Uint8Array): string {
  if (random.length !== 8) throw new RangeError(`${random.length} random bytes: expected 8`)
  const number = new DataView(random.buffer, random.byteOffset).getBigUint64(0)
  return (number % 10n ** 16n).toString().padStart(16, '0')
}

/** The message in it, or why it is none. Never throws, whatever the bytes are. */
export function openFwknop(bytes: Uint8Array, keys: FwknopKeys): FwknopMessage | FwknopRefusal {
  const packet = readPacket(bytes)
  if ('why' in packet) return packet
  if (keys.hmac !== undefined && !hmacMatches(packet, keys.hmac)) return { why: 'hmac' }
  return decryptPacket(packet, keys).message
}

/** What every packet has, whatever its keys: length, alphabet, and the four bits of `Salted__` that are sent. Never throws. */
export function readPacket(bytes: Uint8Array): FwknopPacket | FwknopRefusal {
  if (bytes.length < MIN_CHARS || bytes.length >= END_CHARS) return { why: 'length' }
  if (!bytes.every(isBase64Byte)) return { why: 'alphabet' }
  // `+` `/` `8` `9`: the low half of `_`, and two bits of the salt. With its prefix a packet begins with `U`.
  const first = bytes[0]
  if (first !== 0x2b && first !== 0x2f && first !== 0x38 && first !== 0x39) return { why: 'prefix' }
  const prefixed = new Uint8Array(PREFIX_BYTES.length + bytes.length)
  prefixed.set(PREFIX_BYTES)
  prefixed.set(bytes, PREFIX_BYTES.length)
  return { prefixed }
}

/** Whether its last characters are the HMAC of those ahead of them, compared in constant time. `mac` as preparedMac gives it. */
export function hmacMatches(
  { prefixed }: FwknopPacket,
  hmac: FwknopHmac,
  mac: (bytes: Uint8Array) => string = (bytes) => macText(hmac, bytes),
): boolean {
  const at = prefixed.length - DIGEST_CHARS[hmac.digest]
  if (at - PREFIX_BYTES.length < MIN_CHARS || !isUsableHmacKey(hmac.key)) return false
  return isSameText(latin1Of(prefixed.subarray(at)), mac(prefixed.subarray(0, at)))
}

/**
 * Message and decrypted text of a packet, once its HMAC is known to match. The text is what makes a packet itself: however it
 * is spelt, it decrypts to the same. Never throws.
 */
export function decryptPacket(
  { prefixed }: FwknopPacket,
  keys: Pick<FwknopKeys, 'key' | 'mode'> & { readonly hmac?: { readonly digest: FwknopDigest } },
): { readonly message: FwknopMessage | FwknopRefusal; readonly text?: Uint8Array } {
  const end = prefixed.length - (keys.hmac === undefined ? 0 : DIGEST_CHARS[keys.hmac.digest])
  if (isTakenForGpg(end, keys)) return { message: { why: 'length' } }
  if (!isUsableKey(keys.key, keys.mode)) return { message: { why: 'key' } }
  const blob = decodeBase64(latin1Of(prefixed.subarray(0, end)))
  const text = blob && decrypt(blob, keys.key, keys.mode)
  if (text === undefined) return { message: { why: 'cipher' } }
  return { message: decodeText(text), text }
}

/**
 * The 32 bytes that are one packet's and no other's, made of its decrypted text: neither another spelling of its base64 nor
 * another padding makes another packet of it.
 */
export function packetId(text: Uint8Array): Uint8Array {
  return sha256(text)
}

/** Of so many characters, prefix included. */
function isTakenForGpg(chars: number, { hmac }: { readonly hmac?: unknown }): boolean {
  return (hmac === undefined ? chars - PREFIX.length : chars) >= GPG_CHARS
}

function isUsableHmacKey(key: Uint8Array): boolean {
  return key.length >= 1 && key.length <= MAX_HMAC_KEY_BYTES
}

/** Keys stay out of the message. */
function checkKeys({ key, mode, hmac }: FwknopKeys): void {
  if (!isUsableKey(key, mode)) throw new RangeError(`key of ${key.length} bytes: expected 1–${MAX_KEY_BYTES}`)
  if (hmac === undefined) return
  if (!isUsableHmacKey(hmac.key))
    throw new RangeError(`HMAC key of ${hmac.key.length} bytes: expected 1–${MAX_HMAC_KEY_BYTES}`)
  if (latin1Of(hmac.key) === latin1Of(key)) throw new RangeError('HMAC key: expected another than the encryption key')
}
