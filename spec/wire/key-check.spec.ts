import { expect } from 'chai'
import fc from 'fast-check'
import { keyCheck } from '../../lib/wire/key-check.js'

describe('the key check', () => {
  const key = new Uint8Array(32).fill(7)

  it('is eight hex digits, the same on both sides', () => {
    expect(keyCheck(key, 'gate'))
      .to.match(/^[0-9A-F]{8}$/)
      .and.to.equal(keyCheck(Uint8Array.from(key), 'gate'))
  })

  it('is another one for another realm or key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (other, realm) => {
        fc.pre(Buffer.compare(other, key) !== 0 || realm !== 'gate')
        expect(keyCheck(other, realm)).not.to.equal(keyCheck(key, 'gate'))
      }),
    )
  })
})
