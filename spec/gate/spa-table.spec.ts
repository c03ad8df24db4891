import { expect } from 'chai'
import fc from 'fast-check'
import { SpaGate } from '../../lib/gate/spa.js'
import { type Knock, seal } from '../../lib/wire/spa.js'
import { slotOf, TAGS_PER_SLOT, tagOf } from '../../lib/wire/spa-keys.js'
import { heard, knockAt, NOW, userOf } from '../support/spa.js'

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

/** Every tag of the users in the slots around a time, and whose the gate says it is. */
function tagsKnown(gate: SpaGate, aroundMs: number) {
  const known: unknown[] = []
  for (let slot = Math.max(0, slotOf(aroundMs) - 6); slot <= slotOf(aroundMs) + 6; slot++)
    for (const user of USERS)
      for (let index = 0; index < TAGS_PER_SLOT; index++) {
        const found = gate.userOfTag(tagOf(user.tag, slot, index))
        if (found !== undefined) {
          expect(found).to.deep.equal({ user: user.id, slot })
          known.push(`${user.id} ${slot} ${index}`)
        }
      }
  return known
}

describe('the tag table of the SPA gate', () => {
  it('knows nobody before it is rolled', () => {
    const gate = new SpaGate({ users: USERS, windowMs: WINDOW_MS })
    expect(gate.judge(heard(datagramOf(knockAt(NOW))), NOW)).to.deep.equal({ kind: 'silence', why: 'tag' })
    expect(gate.slots).to.deep.equal([])
  })

  it('holds every slot of the window and no other', () => {
    expect(gateAt(NOW).slots).to.deep.equal([-2, -1, 0, 1, 2].map((n) => slotOf(NOW) + n))
    expect(gateAt(NOW + 1, 10_000).slots).to.deep.equal([-1, 0].map((n) => slotOf(NOW) + n))
    expect(gateAt(5_000).slots).to.deep.equal([0, 1, 2])
    const ahead = new SpaGate({ users: USERS, windowMs: WINDOW_MS })
    ahead.roll(NOW - 5_000, 5_000)
    expect(ahead.slots).to.deep.equal([-3, -2, -1, 0, 1, 2].map((n) => slotOf(NOW) + n))
  })

  it('says whose a tag is, and nothing for less than a tag', () => {
    const tag = tagOf(USERS[2].tag, slotOf(NOW) + 1, 3)
    expect(gateAt(NOW).userOfTag(tag)).to.deep.equal({ user: 3, slot: slotOf(NOW) + 1 })
    expect(gateAt(NOW).userOfTag(Uint8Array.of(...tag, 1, 2, 3))).to.deep.equal({ user: 3, slot: slotOf(NOW) + 1 })
    expect(gateAt(NOW).userOfTag(tag.subarray(0, 7))).to.equal(undefined)
    expect(gateAt(NOW).userOfTag(new Uint8Array(8))).to.equal(undefined)
  })

  it('is after any moves of the clock what it would be from scratch, also where a roll was broken off', () => {
    const moves = fc.array(
      fc.tuple(
        fc.oneof(
          fc.integer({ min: -90_000, max: 90_000 }),
          fc.integer({ min: -(10 ** 10), max: 10 ** 10 }),
          fc.nat(40_000),
        ),
        fc.option(fc.nat(3)),
      ),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(moves, fc.integer({ min: 10_000, max: 70_000 }), (steps, windowMs) => {
        // Enough users that a roll has several steps, those who are looked for last.
        const crowd = [...Array.from({ length: 120 }, (_, i) => userOf(4 + i)), ...USERS]
        const gate = new SpaGate({ users: crowd, windowMs })
        let now = NOW
        for (const [move, brokenOffAfter] of steps) {
          now += move
          if (brokenOffAfter !== null) {
            const rolling = gate.rolling(now)
            for (let i = 0; i < brokenOffAfter && !rolling.next().done; i++);
            now += 31_000
          }
          gate.roll(now)
          const fresh = new SpaGate({ users: crowd, windowMs })
          fresh.roll(now)
          expect(gate.slots).to.deep.equal(fresh.slots)
          expect(tagsKnown(gate, now)).to.deep.equal(tagsKnown(fresh, now))
          expect(tagsKnown(gate, now)).to.have.length(fresh.slots.length * USERS.length * TAGS_PER_SLOT)
        }
      }),
      { numRuns: 10 },
    )
  })

  it('is empty for a time that is none', () => {
    const gate = gateAt(NOW)
    gate.roll(Number.NaN)
    expect(gate.slots).to.deep.equal([])
    gate.roll(Number.POSITIVE_INFINITY)
    expect(gate.slots).to.deep.equal([])
  })

  it('finds each of thousands of users by every tag', () => {
    const users = Array.from({ length: 2000 }, (_, i) => ({
      ...USER,
      id: i,
      tag: new Uint8Array(32).fill(i & 255).fill(i >> 8, 16),
    }))
    const gate = new SpaGate({ users, windowMs: 10_000 })
    gate.roll(NOW + 15_000)
    for (const { id, tag } of users)
      for (let index = 0; index < TAGS_PER_SLOT; index++)
        expect(gate.userOfTag(tagOf(tag, slotOf(NOW), index))).to.deep.equal({ user: id, slot: slotOf(NOW) })
  })

  it('gives the tags of a shared key to the first who has it', () => {
    const gate = new SpaGate({
      users: [
        { ...USER, id: 7 },
        { ...USER, id: 8 },
      ],
      windowMs: WINDOW_MS,
    })
    gate.roll(NOW)
    expect(gate.judge(heard(datagramOf(knockAt(NOW, { user: 7 }))), NOW)).to.include({ kind: 'request' })
    expect(gate.judge(heard(datagramOf(knockAt(NOW, { user: 8 }))), NOW)).to.include({ why: 'user', user: 7 })
  })

  it('is not made for a window that is none', () => {
    for (const windowMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => new SpaGate({ users: [], windowMs })).to.throw(RangeError, 'expected above 0')
  })
})
