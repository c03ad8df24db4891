import { createHmac, hkdfSync } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { deriveKey, deriveKeys, slotOf, tagOf, tagsOf, tokenOf, tokensOf } from '../../lib/wire/spa-keys.js'
import { bytes, ids } from '../support/spa.js'

const USES = ['tag', 'seal', 'instant'] as const
const slots = fc.oneof(fc.integer({ min: 0, max: 2 ** 33 }), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 9382499223))

/** u64 slot, u32 resource where there is one, u8 index, as another implementation writes them. */
function messageOf(slot: number, resource: number | undefined, index: number): Buffer {
  const message = Buffer.alloc(resource === undefined ? 9 : 13)
  message.writeBigUInt64BE(BigInt(slot))
  if (resource !== undefined) message.writeUInt32BE(resource, 8)
  message[message.length - 1] = index
  return message
}

function macOf(key: Uint8Array, message: Buffer, length: number): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(message).digest().subarray(0, length))
}

describe('SPA keys', () => {
  it('are HKDF-SHA256 of key and realm, as node:crypto has it', () => {
    fc.assert(
      fc.property(bytes(32), fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('a'.repeat(200))), (key, realm) => {
        const all = deriveKeys(key, realm)
        for (const use of USES) {
          const theirs = new Uint8Array(hkdfSync('sha256', key, Buffer.from(realm), `postern spa 1 ${use}`, 32))
          expect(all[use]).to.deep.equal(theirs)
          expect(deriveKey(key, realm, use)).to.deep.equal(theirs)
        }
      }),
    )
  })

  it('are not made of a key that has not 32 bytes', () => {
    for (const length of [0, 31, 33]) {
      expect(() => deriveKeys(new Uint8Array(length), '')).to.throw(RangeError, `${length} bytes: expected 32`)
      expect(() => deriveKey(new Uint8Array(length), '', 'tag')).to.throw(RangeError)
    }
  })
})

describe('SPA tags and tokens', () => {
  it('are HMACs of slot and index, one by one and all at once', () => {
    fc.assert(
      fc.property(bytes(32), slots, ids, (key, slot, resource) => {
        const tags = [0, 1, 2, 3].map((index) => tagOf(key, slot, index))
        tags.forEach((tag, index) => {
          expect(tag).to.deep.equal(macOf(key, messageOf(slot, undefined, index), 8))
        })
        expect(tagsOf(key, slot)).to.deep.equal(Uint8Array.from(tags.flatMap((tag) => [...tag])))
        const tokens = Array.from({ length: 16 }, (_, index) => tokenOf(key, slot, resource, index))
        tokens.forEach((token, index) => {
          expect(token).to.deep.equal(macOf(key, messageOf(slot, resource, index), 16))
        })
        expect(tokensOf(key, slot, resource)).to.deep.equal(Uint8Array.from(tokens.flatMap((token) => [...token])))
      }),
      { numRuns: 30 },
    )
  })

  it('do not exist for numbers that do not fit', () => {
    const key = new Uint8Array(32)
    for (const index of [-1, 4, 0.5, Number.NaN]) expect(() => tagOf(key, 1, index)).to.throw(RangeError, '0–3')
    for (const index of [-1, 16, 0.5]) expect(() => tokenOf(key, 1, 1, index)).to.throw(RangeError, '0–15')
    for (const slot of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => tagOf(key, slot, 0)).to.throw(RangeError, 'slot')
      expect(() => tagsOf(key, slot)).to.throw(RangeError, 'slot')
      expect(() => tokensOf(key, slot, 1)).to.throw(RangeError, 'slot')
    }
    for (const resource of [-1, 2 ** 32, 0.5])
      expect(() => tokenOf(key, 1, resource, 0)).to.throw(RangeError, 'resource')
  })

  it('change each 30 seconds', () => {
    expect([0, 29_999, 30_000, 2 ** 48 - 1].map(slotOf)).to.deep.equal([0, 0, 1, 9382499223])
  })
})
