import { expect } from 'chai'
import fc from 'fast-check'
import { beginAlike, leadingBits, maskedTo } from '../../lib/wire/prefix.js'

const bitsOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 })

describe('the first bits of an address', () => {
  it('are as many as said', () => {
    for (let bits = 0; bits <= 32; bits++)
      expect(bitsOf(leadingBits(4, bits))).to.equal('1'.repeat(bits).padEnd(32, '0'))
  })

  it('are kept, and what follows them is zero', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 32 }), (address, bits) => {
        expect(bitsOf(maskedTo(address, bits))).to.equal(bitsOf(address).slice(0, bits).padEnd(32, '0'))
      }),
    )
  })

  it('are alike where every one of them is, whatever follows', () => {
    fc.assert(
      fc.property(bytes, fc.nat(31), fc.integer({ min: 0, max: 32 }), (one, flipped, bits) => {
        const other = one.slice()
        other[flipped >> 3]! ^= 0x80 >> (flipped & 7)
        expect(beginAlike(one, other, bits)).to.equal(flipped >= bits)
        expect(beginAlike(one, one, bits)).to.equal(true)
      }),
    )
  })
})
