/**
 * What stands in noble's place in the client without Node, under noble's names (scripts/client-binary.ts): the hashes are
 * Bun's own, XChaCha20-Poly1305 is noble's, for BoringSSL's ChaCha20 cannot be had there. Whatever else native-crypto.ts has
 * comes from there.
 */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'

export * from './native-crypto.js'
export { xchacha20poly1305 }

/** The one class of Bun's that this takes. */
declare const Bun: { readonly CryptoHasher: new (hash: string, key: Uint8Array) => Hasher }
interface Hasher {
  update(bytes: Uint8Array): Hasher
  digest(): Uint8Array
}

type Hash = { readonly algorithm: string }
const HASH_BYTES = 32

/** HMAC (RFC 2104): as many bytes as the hash. */
export function hmac({ algorithm }: Hash, key: Uint8Array, message: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher(algorithm, key).update(message).digest()
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
