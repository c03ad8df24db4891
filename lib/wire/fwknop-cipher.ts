/**
 * How fwknop encrypts: AES-256 under a key and an IV that three MD5s make of passphrase and salt, with PKCS#7 padding in every
 * mode. Specification: docs/PROTOCOL.md, "fwknop". Pure.
 */
import { cbc, cfb, ctr, ecb } from '@noble/ciphers/aes.js'
import { md5 } from '@noble/hashes/legacy.js'
import type { FwknopMode } from './fwknop-types.js'

export const SALT_BYTES = 8
export const MAX_KEY_BYTES = 32
const BLOCK_BYTES = 16
/** `Salted__`, as OpenSSL's enc has it. */
const MAGIC = Uint8Array.of(0x53, 0x61, 0x6c, 0x74, 0x65, 0x64, 0x5f, 0x5f)
const HEADER_BYTES = MAGIC.length + SALT_BYTES
const LEGACY_KEY_BYTES = 16
const LEGACY_FILL = 0x30
const UNPADDED = { disablePadding: true } as const

type Direction = 'encrypt' | 'decrypt'

/** `Salted__`, the salt and what is encrypted: 32 bytes and more. Throws RangeError where key or salt has a wrong length. */
export function encrypt(plain: Uint8Array, key: Uint8Array, mode: FwknopMode, salt: Uint8Array): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new RangeError(`salt of ${salt.length} bytes: expected ${SALT_BYTES}`)
  if (!isUsableKey(key, mode)) throw new RangeError(`key of ${key.length} bytes: expected 1–${MAX_KEY_BYTES}`)
  const fill = BLOCK_BYTES - (plain.length % BLOCK_BYTES)
  const padded = new Uint8Array(plain.length + fill).fill(fill)
  padded.set(plain)
  const encrypted = run('encrypt', padded, key, mode, salt)
  const blob = new Uint8Array(HEADER_BYTES + encrypted.length)
  blob.set(MAGIC)
  blob.set(salt, MAGIC.length)
  blob.set(encrypted, HEADER_BYTES)
  return blob
}

/**
 * What `encrypt` was given, or undefined where this is no `Salted__` with whole blocks after it. Never throws; key as isUsableKey
 * has it. Like fwknop's own, it takes off a padding that is right and leaves what is not: then the text has no right digest.
 */
export function decrypt(blob: Uint8Array, key: Uint8Array, mode: FwknopMode): Uint8Array | undefined {
  const isWhole = blob.length > HEADER_BYTES && blob.length % BLOCK_BYTES === 0
  if (!isWhole || MAGIC.some((byte, i) => blob[i] !== byte)) return undefined
  const salt = blob.subarray(MAGIC.length, HEADER_BYTES)
  return unpad(run('decrypt', blob.subarray(HEADER_BYTES), key, mode, salt))
}

/** Nothing is hashed or cut: a longer key is an error at both ends. In legacy mode it is cut. */
export function isUsableKey(key: Uint8Array, mode: FwknopMode): boolean {
  return mode === 'legacy' || key.length <= MAX_KEY_BYTES
}

function run(direction: Direction, bytes: Uint8Array, passphrase: Uint8Array, mode: FwknopMode, salt: Uint8Array) {
  const { key, iv } = deriveKey(mode === 'legacy' ? legacyKey(passphrase) : passphrase, salt)
  switch (mode) {
    case 'cbc':
    case 'legacy':
      return cbc(key, iv, UNPADDED)[direction](bytes)
    case 'ecb':
      return ecb(key, UNPADDED)[direction](bytes)
    case 'cfb':
      return cfb(key, iv)[direction](bytes)
    case 'ctr':
      return ctr(key, iv)[direction](bytes)
    case 'ofb':
      return ofb(key, iv, bytes)
    default:
      return mode satisfies never
  }
}

/** OFB's stream is what CBC makes of zeros: each block is the encryption of the one ahead of it. */
function ofb(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
  const stream = cbc(key, iv, UNPADDED).encrypt(new Uint8Array(bytes.length))
  return bytes.map((byte, i) => byte ^ stream[i]!)
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round: D1 ‖ D2 is the key, D3 the IV. */
function deriveKey(passphrase: Uint8Array, salt: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
  const key = new Uint8Array(2 * BLOCK_BYTES)
  const salted = joined(passphrase, salt)
  const first = md5(salted)
  const second = md5(joined(first, salted))
  key.set(first)
  key.set(second, BLOCK_BYTES)
  return { key, iv: md5(joined(second, salted)) }
}

/** Filled with `0` up to 16 bytes, or cut there. */
function legacyKey(passphrase: Uint8Array): Uint8Array {
  const key = new Uint8Array(LEGACY_KEY_BYTES).fill(LEGACY_FILL)
  key.set(passphrase.subarray(0, LEGACY_KEY_BYTES))
  return key
}

function unpad(padded: Uint8Array): Uint8Array {
  const fill = padded[padded.length - 1]!
  if (fill === 0 || fill > BLOCK_BYTES) return padded
  const rest = padded.length - fill
  return padded.subarray(rest).every((byte) => byte === fill) ? padded.subarray(0, rest) : padded
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}
