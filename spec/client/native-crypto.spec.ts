import * as aes from '@noble/ciphers/aes.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { sha3_256, sha3_512 } from '@noble/hashes/sha3.js'
import { expect } from 'chai'
import fc from 'fast-check'

/** With Bun: what the client in one file has in its place (spec/getting/client-binary.spec.ts). */
const native: typeof import('../../lib/client/native-crypto.js') = await import(
  process.versions['bun'] === undefined ? '../../lib/client/native-crypto.js' : '../../lib/client/bun-crypto.js'
)

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const any = fc.uint8Array({ maxLength: 300 })
const plain = (array: Uint8Array) => Uint8Array.from(array)

describe('node:crypto in place of noble', () => {
  it('makes the same HMAC, also of an empty key', () => {
    fc.assert(
      fc.property(any, any, (key, message) => {
        expect(plain(native.hmac(native.sha256, key, message))).to.deep.equal(hmac(sha256, key, message))
        expect(plain(native.hmac(native.sha3_256, key, message))).to.deep.equal(hmac(sha3_256, key, message))
      }),
    )
  })

  for (const [ours, hash] of [
    [native.md5, md5],
    [native.sha1, sha1],
    [native.sha256, sha256],
    [native.sha384, sha384],
    [native.sha512, sha512],
    [native.sha3_256, sha3_256],
    [native.sha3_512, sha3_512],
  ] as const)
    it(`makes the same ${ours.algorithm}, plain and as HMAC`, () => {
      fc.assert(
        fc.property(any, any, (key, message) => {
          expect(plain(ours(message))).to.deep.equal(hash(message))
          expect(plain(native.hmac(ours, key, message))).to.deep.equal(hmac(hash, key, message))
        }),
      )
    })

  const unpadded = { disablePadding: true } as const
  for (const [name, ours, theirs] of [
    ['CBC', native.cbc, (key: Uint8Array, iv: Uint8Array) => aes.cbc(key, iv, unpadded)],
    ['CFB', native.cfb, aes.cfb],
    ['CTR', native.ctr, aes.ctr],
    ['ECB', (key: Uint8Array) => native.ecb(key, unpadded), (key: Uint8Array) => aes.ecb(key, unpadded)],
  ] as const)
    it(`encrypts and decrypts whole blocks alike in AES-256-${name}`, () => {
      fc.assert(
        fc.property(bytes(32), bytes(16), fc.integer({ min: 1, max: 20 }), any, (key, iv, blocks, seed) => {
          const text = new Uint8Array(16 * blocks)
          text.set(seed.subarray(0, text.length))
          const encrypted = theirs(key, iv).encrypt(text)
          expect(plain(ours(key, iv).encrypt(text))).to.deep.equal(encrypted)
          expect(plain(ours(key, iv).decrypt(encrypted))).to.deep.equal(text)
        }),
      )
    })

  it('makes the same HKDF', () => {
    fc.assert(
      fc.property(any, any, any, fc.integer({ min: 1, max: 32 }), (ikm, salt, info, length) => {
        const prk = native.extract(native.sha256, ikm, salt)
        expect(plain(prk)).to.deep.equal(extract(sha256, ikm, salt))
        expect(plain(native.expand(native.sha256, prk, info, length))).to.deep.equal(expand(sha256, prk, info, length))
      }),
    )
  })

  it('refuses a longer one, which would need further rounds', () => {
    expect(() => native.expand(native.sha256, new Uint8Array(32), new Uint8Array(0), 33)).to.throw(RangeError)
  })

  it('makes the same XChaCha20-Poly1305, wherever in a buffer key and nonce lie', () => {
    fc.assert(
      fc.property(bytes(33), bytes(25), any, any, (key, nonce, aad, plaintext) => {
        const [k, n] = [key.subarray(1), nonce.subarray(1)]
        const sealed = native.xchacha20poly1305(k, n, aad).encrypt(plaintext)
        expect(plain(sealed)).to.deep.equal(xchacha20poly1305(k, n, aad).encrypt(plaintext))
      }),
    )
  })
})
