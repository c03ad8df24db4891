/**
 * The few functions of @noble/hashes and @noble/ciphers that a knock needs, made of node:crypto, under noble's names. The
 * bundle of the quick way takes this file in noble's place (scripts/bundle.js): noble's own cold start is a fifth of a knock.
 * spec/client/native-crypto.spec.ts holds it against noble.
 */
import { createCipheriv, createHash, createHmac } from 'node:crypto'

export { cbc, cfb, ctr, ecb } from './native-aes.js'

const SEAL_BYTES = 16
const HASH_BYTES = 32

/** SHA-256, and what only letmein's exchange (SHA3-256) and fwknop's packets have. */
export const sha256 = hashOf('sha256')
export const sha384 = hashOf('sha384')
export const sha512 = hashOf('sha512')
export const sha3_256 = hashOf('sha3-256')
export const sha3_512 = hashOf('sha3-512')
export const sha1 = hashOf('sha1')
export const md5 = hashOf('md5')

type Hash = ReturnType<typeof hashOf>

function hashOf(algorithm: string) {
  const hash = (message: Uint8Array): Uint8Array => createHash(algorithm).update(message).digest()
  return Object.assign(hash, { algorithm })
}

/** HMAC (RFC 2104): as many bytes as the hash. */
export function hmac(hash: Hash, key: Uint8Array, message: Uint8Array): Uint8Array {
  return createHmac(hash.algorithm, key).update(message).digest()
}

/** HKDF's first step (RFC 5869): 32 bytes. */
export function extract(hash: Hash, ikm: Uint8Array, salt: Uint8Array): Uint8Array {
  return hmac(hash, salt, ikm)
}

/** HKDF's second step, for up to 32 bytes: its first round. Throws RangeError where more are asked for. */
export function expand(hash: Hash, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > HASH_BYTES) throw new RangeError(`length ${length}: expected 0–${HASH_BYTES}`)
  return hmac(hash, prk, Buffer.concat([info, Uint8Array.of(1)])).subarray(0, length)
}

/** XChaCha20-Poly1305: HChaCha20 makes of key and 16 nonce bytes the key for OpenSSL's ChaCha20-Poly1305. */
export function xchacha20poly1305(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array) {
  return {
    encrypt(plaintext: Uint8Array): Uint8Array {
      const shortNonce = new Uint8Array(12)
      shortNonce.set(nonce.subarray(16), 4)
      const options = { authTagLength: SEAL_BYTES }
      const cipher = createCipheriv('chacha20-poly1305', hchacha20(key, nonce), shortNonce, options)
      cipher.setAAD(aad, { plaintextLength: plaintext.length })
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
  }
}

/** HChaCha20 (draft-irtf-cfrg-xchacha, 2.2): 32 bytes of a 32-byte key and the first 16 bytes of the nonce. */
function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const state = new Uint32Array(16)
  state.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574])
  const keyView = new DataView(key.buffer, key.byteOffset)
  const nonceView = new DataView(nonce.buffer, nonce.byteOffset)
  for (let i = 0; i < 8; i++) state[4 + i] = keyView.getUint32(4 * i, true)
  for (let i = 0; i < 4; i++) state[12 + i] = nonceView.getUint32(4 * i, true)
  for (let doubleRound = 0; doubleRound < 10; doubleRound++) {
    for (let i = 0; i < 4; i++) quarterRound(state, i, 4 + i, 8 + i, 12 + i)
    for (let i = 0; i < 4; i++) quarterRound(state, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3))
  }
  const subkey = new Uint8Array(32)
  const view = new DataView(subkey.buffer)
  for (let i = 0; i < 4; i++) {
    view.setUint32(4 * i, state[i]!, true)
    view.setUint32(16 + 4 * i, state[12 + i]!, true)
  }
  return subkey
}

function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  add(state, a, b, d, 16)
  add(state, c, d, b, 12)
  add(state, a, b, d, 8)
  add(state, c, d, b, 7)
}

/** state[to] += state[by]; state[mixed] is xored with it and rotated left. */
function add(state: Uint32Array, to: number, by: number, mixed: number, rotation: number): void {
  state[to]! += state[by]!
  const word = state[mixed]! ^ state[to]!
  state[mixed] = (word << rotation) | (word >>> (32 - rotation))
}
