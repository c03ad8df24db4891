import { expect } from 'chai'
import fc from 'fast-check'
import { decodeFrame, encodeFrame, FRAME_BYTES, type Frame, FrameReader } from '../../lib/daemon/frames.js'
import { addressFromBytes } from '../../lib/wire/address.js'

const u32 = fc.nat({ max: 0xffff_ffff })
const address = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(addressFromBytes)
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    protocol: fc.constantFrom('spa' as const, 'letmein' as const, 'fwknop' as const),
    operation: fc.constantFrom('open' as const, 'revoke' as const, 'extend' as const),
    sequence: u32,
    user: u32,
    resource: u32,
    address,
    lifetimeSeconds: u32,
    heardMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    more: fc.nat({ max: 255 }),
  }),
  fc.record({ kind: fc.constant('record' as const), user: u32, resource: u32, address }),
  fc.record({ kind: fc.constant('hello' as const), nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
  fc.record({
    kind: fc.constant('pong' as const),
    sequence: u32,
    untrustedBelowMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  }),
  fc.record({ kind: fc.constant('ended' as const), acceptedMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
  fc.record({ kind: fc.constant('counter' as const), index: u32, count: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
  fc.record(
    {
      kind: fc.constant('refused' as const),
      protocol: fc.constantFrom('spa' as const, 'letmein' as const, 'fwknop' as const),
      user: u32,
      wish: fc.record({
        operation: fc.constantFrom('open' as const, 'revoke' as const, 'extend' as const),
        resource: u32,
      }),
      reason: u32,
      address,
      leftOut: u32,
    },
    { requiredKeys: ['kind', 'protocol', 'user', 'reason', 'address', 'leftOut'] },
  ),
  fc.record({
    kind: fc.constant('words' as const),
    text: fc
      .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 1, maxLength: 40 })
      .map((codes) => String.fromCharCode(...codes)),
  }),
)

describe('frames of the channel', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(frame, (value) => {
        const bytes = encodeFrame(value)
        expect(bytes).to.have.length(FRAME_BYTES)
        expect(decodeFrame(bytes)).to.deep.equal(value)
      }),
    )
  })

  it('are whole however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 90 })), (values, cuts) => {
        const stream = Buffer.concat(values.map(encodeFrame))
        const reader = new FrameReader()
        const read: Frame[] = []
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          read.push(...reader.push(stream.subarray(at, at + cut)))
          at += cut
        }
        expect(read).to.deep.equal(values)
        expect(reader.skippedBytes).to.equal(0)
      }),
    )
  })

  it('are found again behind the half frame of a listener that was killed', () => {
    fc.assert(
      fc.property(frame, frame, fc.integer({ min: 1, max: FRAME_BYTES - 1 }), (lost, next, length) => {
        const reader = new FrameReader()
        const read = reader.push(Buffer.concat([encodeFrame(lost).subarray(0, length), encodeFrame(next)]))
        // A magic inside a field may cost the frame it stands in, never a wrong frame.
        if (reader.skippedBytes === length) expect(read).to.deep.equal([next])
      }),
    )
  })

  it('never throw, whatever a hostile listener sends, and keep less than one frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        const reader = new FrameReader()
        for (const chunk of chunks) for (const one of reader.push(chunk)) expect(one.kind).to.be.a('string')
      }),
    )
  })

  it('refuse an operation, a kind and a magic that are none', () => {
    const good = encodeFrame({
      kind: 'request',
      protocol: 'spa',
      operation: 'open',
      sequence: 0,
      user: 1,
      resource: 1,
      address: '192.0.2.7',
      lifetimeSeconds: 0,
      heardMs: 1_800_000_000_000,
      more: 0,
    })
    for (const [offset, value] of [
      [0, 0],
      [4, 99],
      [5, 3],
      [6, 3],
      [63, 1],
    ] as const) {
      const bad = good.slice()
      bad[offset] = value
      expect(decodeFrame(bad), `byte ${offset}`).to.equal(undefined)
    }
    expect(decodeFrame(good.subarray(1))).to.equal(undefined)
  })
})
