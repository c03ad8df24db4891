import { expect } from 'chai'
import fc from 'fast-check'
import { decodeBase64, encodeBase64, latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import { decrypt, encrypt } from '../../lib/wire/fwknop-cipher.js'
import { DIGEST_CHARS, DIGESTS, digestText, macText, preparedMac } from '../../lib/wire/fwknop-digest.js'
import { bytes, MODES } from './fwknop-message.js'

const SALT = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])
const plain = (array: Uint8Array) => Uint8Array.from(array)

describe("fwknop's base64", () => {
  it('reads what it writes, and writes what everybody writes, without =', () => {
    fc.assert(
      fc.property(bytes(0, 100), (any) => {
        const text = encodeBase64(any)
        expect(text).to.equal(Buffer.from(any).toString('base64').replace(/=+$/, ''))
        expect(plain(decodeBase64(text)!)).to.deep.equal(any)
      }),
    )
  })

  for (const [text, meaning] of [
    ['YWxpY2U=', 'alice'],
    ['YWxpY2U=!!', 'alice'],
    ['YWxpY2V', 'alice'],
    ['YWxpY2UA=', 'alice\0'],
    ['Y', ''],
    ['', ''],
    ['al-ce', undefined],
    ['YWxp\n', undefined],
  ] as const)
    it(`takes ${JSON.stringify(text)} for ${JSON.stringify(meaning)}`, () => {
      const found = decodeBase64(text)
      expect(found && Buffer.from(found).toString('latin1')).to.equal(meaning)
    })
})

describe("fwknop's digests", () => {
  for (const digest of DIGESTS)
    it(`makes ${DIGEST_CHARS[digest]} characters of ${digest}, prepared or not`, () => {
      fc.assert(
        fc.property(bytes(1, 136), bytes(0, 300), bytes(0, 300), (key, message, other) => {
          const hmac = { key, digest }
          const prepared = preparedMac(hmac)
          prepared(other)
          expect(prepared(message)).to.equal(macText(hmac, message)).and.to.have.length(DIGEST_CHARS[digest])
          expect(digestText(digest, message)).to.have.length(DIGEST_CHARS[digest])
        }),
        { numRuns: 20 },
      )
    })
})

describe("fwknop's encryption", () => {
  for (const mode of MODES) {
    it(`decrypts what it encrypts in ${mode}`, () => {
      fc.assert(
        fc.property(bytes(1, 32), bytes(8), bytes(0, 100), (key, salt, text) => {
          // A text that ends as padding does is taken for padding: real ones end in a digest.
          const ended = Uint8Array.of(...text, 0x41)
          expect(plain(decrypt(encrypt(ended, key, mode, salt), key, mode)!)).to.deep.equal(ended)
        }),
      )
    })

    it(`never throws at bytes of any kind in ${mode}`, () => {
      fc.assert(
        fc.property(bytes(0, 32), bytes(0, 400), (key, blob) => {
          decrypt(blob, key, mode)
          const salted = Uint8Array.of(...latin1Bytes('Salted__'), ...blob)
          expect(decrypt(salted, key, mode) === undefined).to.equal(salted.length % 16 !== 0 || salted.length < 32)
        }),
      )
    })
  }

  it('fills a legacy key with zeros up to 16 bytes and cuts it there', () => {
    const blob = (key: string) => encrypt(latin1Bytes('text'), latin1Bytes(key), 'legacy', SALT)
    expect(blob('short')).to.deep.equal(blob('short00000000000'))
    expect(blob('0123456789abcdefMORE')).to.deep.equal(blob('0123456789abcdef'))
  })

  it('refuses a key that is too long, and a salt of another length', () => {
    expect(() => encrypt(SALT, new Uint8Array(33), 'cbc', SALT)).to.throw(RangeError, 'key of 33 bytes')
    expect(() => encrypt(SALT, SALT, 'cbc', SALT.subarray(1))).to.throw(RangeError, 'salt of 7 bytes')
  })
})
