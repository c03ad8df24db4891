import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  authOf,
  decode,
  encode,
  encodeSigned,
  isLetmein,
  isSameAuth,
  MESSAGE_BYTES,
  type Message,
  type MessageOperation,
  ZERO_AUTH,
} from '../../lib/wire/letmein.js'
import { MessageStream } from '../../lib/wire/letmein-stream.js'
import { bytes, ids } from '../support/letmein.js'

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')
const OPERATIONS: readonly MessageOperation[] = ['KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN', 'GOAWAY', 'REVOKE']
const messages: fc.Arbitrary<Message> = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  user: ids,
  resource: ids,
  salt: bytes(8),
  auth: bytes(32),
})
const message: Message = {
  operation: 'GOAWAY',
  user: 0xa423dda7,
  resource: 0xbc5d8077,
  salt: new Uint8Array(8).fill(0x4a),
  auth: new Uint8Array(32).fill(0xab),
}

describe('a letmein message', () => {
  it('is decoded as it was encoded, in 56 bytes', () => {
    fc.assert(
      fc.property(messages, fc.nat(9), (said, offset) => {
        const encoded = encode(said)
        expect(encoded).to.have.length(56)
        expect(isLetmein(encoded)).to.equal(true)
        // Somewhere in a larger buffer.
        const buffer = new Uint8Array(offset + 60).fill(0xee)
        buffer.set(encoded, offset)
        expect(decode(buffer.subarray(offset, offset + 56))).to.deep.equal(said)
      }),
    )
  })

  it('has its bytes where the specification puts them', () => {
    expect(hex(encode(message))).to.equal(`3b1bb719${'00000004'}a423dda7bc5d8077${'4a'.repeat(8)}${'ab'.repeat(32)}`)
    OPERATIONS.forEach((operation, number) => {
      expect(encode({ ...message, operation })[7]).to.equal(number)
    })
  })

  it('is whatever decodes, and encodes to the same bytes; never anything else than 56 bytes', () => {
    const headed = fc
      .tuple(bytes(56), fc.boolean(), fc.nat(8))
      .map(([raw, hasMagic, number]) =>
        Uint8Array.of(
          ...(hasMagic ? [0x3b, 0x1b, 0xb7, 0x19, 0, 0, 0, number] : raw.subarray(0, 8)),
          ...raw.subarray(8),
        ),
      )
    fc.assert(
      fc.property(fc.oneof(headed, fc.uint8Array({ maxLength: 120 })), (raw) => {
        const decoded = decode(raw)
        if ('why' in decoded) {
          const why = raw.length !== 56 ? 'length' : isLetmein(raw) ? 'operation' : 'magic'
          expect(decoded.why).to.equal(why)
        } else expect(encode(decoded)).to.deep.equal(raw)
      }),
      { numRuns: 500 },
    )
  })

  it('has no other form: each length, magic and operation is refused for its own reason', () => {
    for (let length = 0; length < 200; length++)
      if (length !== 56)
        expect(decode(new Uint8Array(length))).to.deep.equal({ why: 'length', detail: `${length} bytes` })
    for (let bit = 0; bit < 32; bit++) {
      const flipped = encode(message)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decode(flipped)).to.deep.equal({ why: 'magic' })
      expect(isLetmein(flipped)).to.equal(false)
    }
    for (const number of [6, 7, 255, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) {
      const other = encode(message)
      new DataView(other.buffer).setUint32(4, number)
      expect(decode(other)).to.deep.equal({ why: 'operation', detail: `operation ${number}` })
    }
  })

  it('cannot be made of what does not fit', () => {
    const cases: [Partial<Record<keyof Message, unknown>>, RegExp][] = [
      [{ operation: 'HELLO' }, /operation "HELLO": expected KNOCK, CHALLENGE/],
      [{ user: -1 }, /user -1: expected/],
      [{ user: 1.5 }, /user 1.5/],
      [{ resource: 2 ** 32 }, /resource 4294967296/],
      [{ salt: new Uint8Array(7) }, /salt of 7 bytes: expected 8/],
      [{ auth: new Uint8Array(33) }, /auth of 33 bytes: expected 32/],
    ]
    for (const [wrong, expected] of cases)
      expect(() => encode({ ...message, ...(wrong as object) })).to.throw(RangeError, expected)
    expect(() => authOf(new Uint8Array(31), message, ZERO_AUTH)).to.throw(RangeError, 'key of 31 bytes: expected 32')
    expect(() => authOf(new Uint8Array(32), message, new Uint8Array(8))).to.throw(RangeError, 'challenge of 8 bytes')
  })
})

describe("a letmein message's auth", () => {
  const vectors = [
    [
      'KNOCK',
      0x9e,
      0xa423dda7,
      0xbc5d8077,
      0x4a,
      0,
      '6399e5e0ff16219a5ebf6299c41dca189a2f7619bd0ab2ea5f81b8aef9fe0600',
    ],
    [
      'REVOKE',
      0x9e,
      0xa423dda7,
      0xbc5d8077,
      0x4a,
      0,
      'b4bb7a905b52ef9d7eddbb030a7f7bd75d565a880ff3cb83a54e64a676828ef8',
    ],
    [
      'RESPONSE',
      0x6b,
      0x280d04f3,
      0xe2ee7397,
      0x62,
      0xb8,
      'ac41973381d5934958ac028899fb90a130bc94eb6e8c54808d21931debb9ca2a',
    ],
  ] as const

  for (const [operation, key, user, resource, salt, challenge, auth] of vectors)
    it(`of a ${operation} is that of the golden vector`, () => {
      const signed = { operation, user, resource, salt: new Uint8Array(8).fill(salt) }
      const made = authOf(new Uint8Array(32).fill(key), signed, new Uint8Array(32).fill(challenge))
      expect(hex(made)).to.equal(auth)
    })

  it('is HMAC-SHA3-256 of what was signed and the challenge', () => {
    fc.assert(
      fc.property(messages, bytes(32), bytes(32), (said, key, challenge) => {
        const input = Buffer.concat([encode(said).subarray(4, 24), challenge])
        expect(hex(authOf(key, said, challenge))).to.equal(createHmac('sha3-256', key).update(input).digest('hex'))
        expect(decode(encodeSigned(said, key, challenge))).to.deep.equal({
          ...said,
          auth: authOf(key, said, challenge),
        })
      }),
    )
  })

  it('is the same as another where all bytes are', () => {
    fc.assert(
      fc.property(bytes(32), fc.nat(255), (auth, bit) => {
        const other = Uint8Array.from(auth)
        expect(isSameAuth(auth, other)).to.equal(true)
        other[bit >> 3]! ^= 1 << (bit & 7)
        expect(isSameAuth(auth, other)).to.equal(false)
        expect(isSameAuth(auth, auth.subarray(1))).to.equal(false)
      }),
    )
  })
})

describe("a stream of letmein's messages", () => {
  it('gives the same messages whatever the pieces are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(80)), (all, sizes) => {
        const stream = new MessageStream()
        const taken: Uint8Array[] = []
        let offset = 0
        for (const size of [...sizes, all.length]) {
          const piece = all.slice(offset, offset + size)
          taken.push(...stream.take(piece))
          piece.fill(0)
          offset += size
        }
        const whole = all.subarray(0, all.length - (all.length % MESSAGE_BYTES))
        expect(hex(Buffer.concat(taken))).to.equal(hex(whole))
        for (const one of taken) expect(one).to.have.length(MESSAGE_BYTES)
      }),
    )
  })
})
