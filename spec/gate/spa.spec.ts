import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { SpaGate } from '../../lib/gate/spa.js'
import { type Knock, payloadOf, seal } from '../../lib/wire/spa.js'
import { SLOT_MS, slotOf, TAGS_PER_SLOT, tagOf } from '../../lib/wire/spa-keys.js'
import { heard, knockAt, knocks, NOW, nonces, pads, userOf } from '../support/spa.js'

const WINDOW_MS = 60_000
const USERS = [userOf(1), userOf(2), userOf(3)] as const
const [USER] = USERS
const NONCE = Uint8Array.from({ length: 24 }, (_, i) => i)

function gateAt(nowMs: number, windowMs = WINDOW_MS): SpaGate {
  const gate = new SpaGate({ users: USERS, windowMs })
  gate.roll(nowMs)
  return gate
}

/** A user's datagram, by default with the tag that its time asks for. */
function datagramOf(
  knock: Knock,
  { user = USER, slot = slotOf(knock.timeMs), index = 0, nonce = NONCE, pad = 5 } = {},
) {
  return seal(knock, user.seal, tagOf(user.tag, slot, index), nonce, pad)
}

describe('the SPA gate', () => {
  it('makes a request of a datagram that is right', () => {
    const knock = knockAt(NOW - 1234, { operation: 'extend', lifetimeSeconds: 90, address: '2001:db8::9' })
    expect(gateAt(NOW).judge(heard(datagramOf(knock)), NOW)).to.deep.equal({
      kind: 'request',
      request: {
        protocol: 'spa',
        operation: 'extend',
        user: 1,
        resource: 0x22,
        address: '2001:db8::9',
        addressSigned: true,
        lifetimeSeconds: 90,
        replay: { user: 1, id: NONCE, timeMs: NOW - 1234, expiresMs: NOW - 1234 + WINDOW_MS },
      },
    })
  })

  it('takes the old key of a user beside the one of today, until its time is over', () => {
    const today = { ...userOf(9), id: 1 }
    const gate = new SpaGate({ users: [today, { ...USER, untilMs: NOW + 1000 }], windowMs: WINDOW_MS })
    gate.roll(NOW)
    for (const user of [today, USER])
      expect(gate.judge(heard(datagramOf(knockAt(NOW), { user })), NOW + 999).kind).to.equal('request')
    expect(gate.judge(heard(datagramOf(knockAt(NOW))), NOW + 1000)).to.include({ why: 'old-key', user: 1 })
  })

  it('takes the source where no address is signed', () => {
    const verdict = gateAt(NOW).judge(heard(datagramOf(knockAt(NOW))), NOW)
    expect(verdict).to.have.property('request').that.includes({ address: '192.0.2.7', addressSigned: false })
  })

  it('keeps the nonce when the buffer that it was heard in is used again', () => {
    const buffer = Buffer.alloc(300)
    const datagram = datagramOf(knockAt(NOW))
    buffer.set(datagram, 3)
    const verdict = gateAt(NOW).judge(heard(buffer.subarray(3, 3 + datagram.length)), NOW)
    buffer.fill(0)
    expect(verdict).to.have.nested.property('request.replay.id').that.deep.equals(NONCE)
  })

  it('knows all four tags of every user, and each user by his own', () => {
    for (const user of USERS)
      for (let index = 0; index < TAGS_PER_SLOT; index++) {
        const verdict = gateAt(NOW).judge(heard(datagramOf(knockAt(NOW, { user: user.id }), { user, index })), NOW)
        expect(verdict).to.have.property('request').that.includes({ user: user.id })
      }
  })

  it('lets pass exactly what is within the window, and tells the operator of the rest', () => {
    const windows = fc.oneof(fc.constant(WINDOW_MS), fc.integer({ min: 10_000, max: 300_000 }))
    const offsets = fc.oneof(fc.integer({ min: -400_000, max: 400_000 }), fc.constantFrom(-1, 0, 1))
    fc.assert(
      fc.property(windows, offsets, fc.nat(SLOT_MS), fc.boolean(), (windowMs, offset, phase, atEdge) => {
        const now = NOW + phase
        const timeMs = now + (atEdge && Math.abs(offset) < 2 ? windowMs + offset : offset)
        const verdict = gateAt(now, windowMs).judge(heard(datagramOf(knockAt(timeMs))), now)
        if (Math.abs(timeMs - now) <= windowMs) expect(verdict.kind).to.equal('request')
        else if (verdict.kind === 'silence' && verdict.why === 'window')
          expect(verdict)
            .to.include({ user: 1 })
            .and.have.property('detail')
            .that.matches(/^time \d+ s (behind|ahead)$/)
        else expect(verdict).to.deep.equal({ kind: 'silence', why: 'tag' })
      }),
      { numRuns: 200 },
    )
  })

  it('goes by the time handed in, however long ago the table was rolled', () => {
    const gate = gateAt(NOW)
    const datagram = heard(datagramOf(knockAt(NOW)))
    expect(gate.judge(datagram, NOW + WINDOW_MS)).to.include({ kind: 'request' })
    expect(gate.judge(datagram, NOW + WINDOW_MS + 14_754_000)).to.deep.equal({
      kind: 'silence',
      why: 'window',
      user: 1,
      detail: `time ${60 + 14_754} s behind`,
    })
    expect(gate.judge(datagram, NOW - WINDOW_MS - 1)).to.include({ why: 'window', detail: 'time 60 s ahead' })
    for (const nowMs of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(gate.judge(datagram, nowMs)).to.include({ why: 'window' })
  })

  it('is silent to one user under the tag of another', () => {
    const knock = knockAt(NOW, { user: 2 })
    expect(gateAt(NOW).judge(heard(datagramOf(knock)), NOW)).to.deep.equal({
      kind: 'silence',
      why: 'user',
      user: 1,
      detail: 'names user 00000002',
    })
    const mixed = seal(knock, USERS[1].seal, tagOf(USER.tag, slotOf(NOW), 0), NONCE, 0)
    expect(gateAt(NOW).judge(heard(mixed), NOW)).to.deep.equal({ kind: 'silence', why: 'seal' })
  })

  it("is silent to a time that is not of the tag's slot", () => {
    const verdict = gateAt(NOW).judge(heard(datagramOf(knockAt(NOW), { slot: slotOf(NOW) + 1 })), NOW)
    expect(verdict).to.include({ kind: 'silence', why: 'slot', user: 1 })
  })

  it('is silent to an instant datagram, but first to whatever else is wrong with it', () => {
    const instant = knockAt(NOW, { instant: true })
    const why = (knock: Knock, slot?: number) =>
      gateAt(NOW).judge(heard(datagramOf(knock, slot === undefined ? {} : { slot })), NOW)
    expect(why(instant)).to.deep.equal({ kind: 'silence', why: 'instant', user: 1 })
    expect(why({ ...instant, user: 3 })).to.include({ why: 'user' })
    expect(why(instant, slotOf(NOW) - 1)).to.include({ why: 'slot' })
    expect(gateAt(NOW).judge(heard(datagramOf(instant)), NOW + 70_000)).to.include({ why: 'window' })
  })

  it('says whose payload is wrong, and how', () => {
    const payload = payloadOf(knockAt(NOW), 0)
    payload[0] = 9
    const tag = tagOf(USER.tag, slotOf(NOW), 2)
    const bytes = Uint8Array.of(...tag, ...NONCE, ...xchacha20poly1305(USER.seal, NONCE, tag).encrypt(payload))
    expect(gateAt(NOW).judge(heard(bytes), NOW)).to.deep.equal({
      kind: 'silence',
      why: 'version',
      user: 1,
      detail: 'version 9',
    })
  })

  it('is silent to a datagram with any one bit flipped', () => {
    const gate = gateAt(NOW)
    const datagram = datagramOf(knockAt(NOW))
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const flipped = Uint8Array.from(datagram)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const why = bit < 64 ? 'tag' : 'seal'
      expect(gate.judge(heard(flipped), NOW), `bit ${bit}`).to.deep.equal({ kind: 'silence', why })
    }
  })

  it('is silent to any bytes whatever, also behind a known tag', () => {
    const gate = gateAt(NOW)
    const tag = tagOf(USER.tag, slotOf(NOW), 1)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (raw, tagged) => {
        if (tagged) raw.set(tag.subarray(0, raw.length))
        expect(gate.judge(heard(raw), NOW).kind).to.equal('silence')
      }),
      { numRuns: 500 },
    )
  })

  it('makes of every knock what was said, or silence', () => {
    fc.assert(
      fc.property(knocks, nonces, pads, (said, nonce, pad) => {
        const knock = { ...said, user: 1 }
        const gate = gateAt(knock.timeMs)
        const verdict = gate.judge(heard(datagramOf(knock, { nonce, pad })), knock.timeMs)
        if (knock.instant) expect(verdict).to.include({ kind: 'silence', why: 'instant' })
        else
          expect(verdict)
            .to.have.property('request')
            .that.includes({
              operation: knock.operation,
              resource: knock.resource,
              address: knock.address ?? '192.0.2.7',
              lifetimeSeconds: knock.lifetimeSeconds,
            })
      }),
    )
  })
})
