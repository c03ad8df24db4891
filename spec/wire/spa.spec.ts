import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Operation } from '../../lib/gate/verdict.js'
import { type Knock, MAX_BYTES, MIN_BYTES, open, PAYLOAD_BYTES, payloadOf, seal } from '../../lib/wire/spa.js'
import { bytes, knockAt, knocks, NOW, nonces, pads } from '../support/spa.js'

const KEY = new Uint8Array(32).fill(7)
const TAG = new Uint8Array(8).fill(8)
const NONCE = new Uint8Array(24).fill(9)

/** These plaintext bytes under a right seal, as a sender with the key could make them. */
function sealed(payload: Uint8Array): Uint8Array {
  return Uint8Array.of(...TAG, ...NONCE, ...xchacha20poly1305(KEY, NONCE, TAG).encrypt(payload))
}

/** A plain knock's payload with 4 bytes of pad and some bytes changed. */
function payloadWith(changes: Record<number, number>, knock: Knock = knockAt(NOW)): Uint8Array {
  const payload = payloadOf(knock, 4)
  for (const [offset, byte] of Object.entries(changes)) payload[Number(offset)] = byte
  return payload
}

const signed = knockAt(NOW, { address: '2001:db8::1' })
const instant = knockAt(NOW, { instant: true })

describe('an SPA datagram', () => {
  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(knocks, bytes(32), bytes(8), nonces, pads, (knock, key, tag, nonce, pad) => {
        const datagram = seal(knock, key, tag, nonce, pad)
        expect(datagram).to.have.length(MIN_BYTES + pad)
        expect(datagram.subarray(0, 32)).to.deep.equal(Uint8Array.of(...tag, ...nonce))
        expect(open(datagram, key)).to.deep.equal(knock)
      }),
    )
  })

  it('opens wherever in a buffer it lies, Buffer or not', () => {
    const datagram = seal(signed, KEY, TAG, NONCE, 33)
    for (let offset = 0; offset < 8; offset++) {
      const buffer = Buffer.alloc(400, 0xaa)
      buffer.set(datagram, offset)
      expect(open(buffer.subarray(offset, offset + datagram.length), KEY)).to.deep.equal(signed)
      const view = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, datagram.length)
      expect(open(view, KEY)).to.deep.equal(signed)
    }
  })

  it('is left as it was by opening it', () => {
    const datagram = seal(signed, KEY, TAG, NONCE, 33)
    const before = Uint8Array.from(datagram)
    open(datagram, KEY)
    expect(datagram).to.deep.equal(before)
  })

  it('with any one bit flipped does not open', () => {
    const datagram = seal(knockAt(NOW), KEY, TAG, NONCE, 20)
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const flipped = Uint8Array.from(datagram)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(open(flipped, KEY), `bit ${bit}`).to.deep.equal({ why: 'seal' })
    }
  })

  it('of any bytes whatever is refused and throws nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const fits = raw.length >= MIN_BYTES && raw.length <= MAX_BYTES
        expect(open(raw, KEY)).to.deep.equal({ why: fits ? 'seal' : 'length' })
      }),
      { numRuns: 500 },
    )
  })

  it('is 86 to 256 bytes long', () => {
    const right = seal(knockAt(NOW), KEY, TAG, NONCE, 170)
    expect(right).to.have.length(256)
    expect(open(Uint8Array.of(...right, 0), KEY)).to.deep.equal({ why: 'length' })
    expect(open(right.subarray(0, 85), KEY)).to.deep.equal({ why: 'length' })
    expect(open(sealed(payloadOf(knockAt(NOW), 0).subarray(1)), KEY)).to.deep.equal({ why: 'length' })
  })

  it('that opens has the one encoding of what it says', () => {
    const changes = fc.array(fc.tuple(fc.nat(PAYLOAD_BYTES + 3), fc.oneof(fc.nat(3), fc.nat(255))), { maxLength: 4 })
    let opened = 0
    fc.assert(
      fc.property(knocks, changes, fc.nat(4), (knock, changed, pad) => {
        const payload = payloadOf(knock, pad)
        for (const [offset, byte] of changed) if (offset < payload.length) payload[offset] = byte
        const outcome = open(sealed(payload), KEY)
        if ('why' in outcome) return
        opened++
        expect(payloadOf(outcome, pad)).to.deep.equal(payload)
      }),
      { numRuns: 2000 },
    )
    expect(opened).to.be.greaterThan(100)
  })

  const refused: [string, Uint8Array, string][] = [
    ['version 0', payloadWith({ 0: 0 }), 'version'],
    ['version 2', payloadWith({ 0: 2 }), 'version'],
    ['operation 3', payloadWith({ 1: 3 }), 'operation'],
    ['operation 255', payloadWith({ 1: 255 }), 'operation'],
    ['a reserved flag', payloadWith({ 2: 4 }), 'flags'],
    ['a reserved flag beside the address', payloadWith({ 2: 0x81 }, signed), 'flags'],
    ['address and instant', payloadWith({ 2: 3 }, signed), 'flags'],
    ['an instant revoke', payloadWith({ 1: 1 }, instant), 'flags'],
    ['an instant extend', payloadWith({ 1: 2 }, instant), 'flags'],
    ['an instant with a lifetime', payloadWith({ 21: 1 }, instant), 'flags'],
    ['an instant with an address', payloadWith({ 37: 1 }, instant), 'address'],
    ['a zero byte that is none', payloadWith({ 3: 1 }), 'reserved'],
    ['pad that is not zero at its start', payloadWith({ 38: 1 }), 'pad'],
    ['pad that is not zero at its end', payloadWith({ 41: 128 }), 'pad'],
    ['an address without its flag', payloadWith({ 2: 0 }, signed), 'address'],
    ['the flag without an address', payloadWith({ 2: 1 }), 'address'],
    ['the address 0.0.0.0', payloadWith({ 2: 1, 32: 255, 33: 255 }), 'address'],
  ]
  for (const [what, payload, why] of refused)
    it(`with ${what} is refused for its ${why}`, () => {
      const outcome = open(sealed(payload), KEY)
      expect(outcome).to.include({ why })
      expect(outcome).to.have.property('detail').that.is.a('string')
    })

  const unfit: [string, () => Uint8Array, string][] = [
    ['a pad of 171', () => seal(knockAt(NOW), KEY, TAG, NONCE, 171), 'pad 171'],
    ['a pad of 0.5', () => seal(knockAt(NOW), KEY, TAG, NONCE, 0.5), 'pad 0.5'],
    ['a time past 48 bits', () => payloadOf(knockAt(2 ** 48), 0), 'time 281474976710656'],
    ['a time before 1970', () => payloadOf(knockAt(-1), 0), 'time -1'],
    ['no time', () => payloadOf(knockAt(Number.NaN), 0), 'time NaN'],
    ['a user past 32 bits', () => payloadOf(knockAt(NOW, { user: 2 ** 32 }), 0), 'user 4294967296'],
    ['a negative resource', () => payloadOf(knockAt(NOW, { resource: -1 }), 0), 'resource -1'],
    ['a lifetime of 1.5 s', () => payloadOf(knockAt(NOW, { lifetimeSeconds: 1.5 }), 0), 'lifetime 1.5'],
    ['another operation', () => payloadOf(knockAt(NOW, { operation: 'shut' as Operation }), 0), 'operation "shut"'],
    ['an address that is none', () => payloadOf(knockAt(NOW, { address: '1.2.3' }), 0), 'address "1.2.3"'],
    ['the address ::', () => payloadOf(knockAt(NOW, { address: '::' }), 0), 'address "::"'],
    ['the address 0.0.0.0', () => payloadOf(knockAt(NOW, { address: '0.0.0.0' }), 0), 'address "0.0.0.0"'],
    ['an instant revoke', () => payloadOf(knockAt(NOW, { operation: 'revoke', instant: true }), 0), 'plain open'],
    ['an instant address', () => payloadOf(knockAt(NOW, { address: '192.0.2.7', instant: true }), 0), 'plain open'],
    ['an instant lifetime', () => payloadOf(knockAt(NOW, { lifetimeSeconds: 9, instant: true }), 0), 'plain open'],
    ['a key of 31 bytes', () => seal(knockAt(NOW), KEY.subarray(1), TAG, NONCE, 0), 'seal key of 31 bytes'],
    ['a tag of 7 bytes', () => seal(knockAt(NOW), KEY, TAG.subarray(1), NONCE, 0), 'tag of 7 bytes'],
    ['a nonce of 23 bytes', () => seal(knockAt(NOW), KEY, TAG, NONCE.subarray(1), 0), 'nonce of 23 bytes'],
  ]
  for (const [what, make, message] of unfit)
    it(`is not made with ${what}`, () => {
      expect(make).to.throw(RangeError, message)
    })
})
