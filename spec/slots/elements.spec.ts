import { expect } from 'chai'
import { tagElements } from '../../lib/slots/tags.js'
import { tokenElements } from '../../lib/slots/tokens.js'
import { SLOT_MS, tagOf, tokenOf } from '../../lib/wire/spa-keys.js'
import { userOf } from '../support/spa.js'

const SLOTS = [
  { slot: 60_000_000, timeoutMs: 90_000 },
  { slot: 60_000_001, timeoutMs: 120_000 },
]
const USERS = [
  { ...userOf(1), resources: [0x22, 0x80] },
  { ...userOf(2), resources: [] },
  { ...userOf(3), resources: [0x80] },
]

describe('tag elements', () => {
  it('are the four tags of each user for each slot, with whose they are and how long they live', () => {
    const expected = SLOTS.flatMap(({ slot, timeoutMs }) =>
      USERS.flatMap(({ id, tag }) =>
        [0, 1, 2, 3].map((index) => ({ key: tagOf(tag, slot, index), timeoutMs, user: id })),
      ),
    )
    expect([...tagElements(USERS, SLOTS)].flat()).to.deep.equal(expected)
  })

  it('come in chunks that keep nothing else waiting long', () => {
    const users = Array.from({ length: 250 }, (_, i) => ({ ...USERS[0]!, id: i }))
    const chunks = [...tagElements(users, SLOTS)]
    expect(chunks.map((chunk) => chunk.length)).to.deep.equal([400, 400, 200, 400, 400, 200])
  })

  it('are none of a slot that begins when the key is dead', () => {
    const old = { ...USERS[0]!, untilMs: 60_000_001 * SLOT_MS }
    expect([...tagElements([old], SLOTS)].flat()).to.deep.equal([...tagElements([USERS[0]!], SLOTS.slice(0, 1))].flat())
  })

  it('are none where there are no users or slots', () => {
    expect([...tagElements([], SLOTS)]).to.deep.equal([])
    expect([...tagElements(USERS, [])]).to.deep.equal([])
  })
})

describe('token elements', () => {
  it('are none that would outlive their key: the kernel takes one until the slot behind its own is over', () => {
    const old = { ...USERS[0]!, untilMs: 60_000_002 * SLOT_MS }
    expect([...tokenElements([old], SLOTS)].flat()).to.deep.equal(
      [...tokenElements([USERS[0]!], SLOTS.slice(0, 1))].flat(),
    )
    expect([...tokenElements([{ ...old, untilMs: old.untilMs - 1 }], SLOTS)]).to.deep.equal([])
  })

  it('are the sixteen tokens of each user for each of his resources and each slot', () => {
    const expected = SLOTS.flatMap(({ slot, timeoutMs }) =>
      USERS.flatMap(({ id, instant, resources }) =>
        resources.flatMap((resource) =>
          Array.from({ length: 16 }, (_, index) => ({
            key: tokenOf(instant, slot, resource, index),
            timeoutMs,
            resource,
            user: id,
          })),
        ),
      ),
    )
    expect([...tokenElements(USERS, SLOTS)].flat()).to.deep.equal(expected)
  })

  it('come in chunks that keep nothing else waiting long', () => {
    const users = Array.from({ length: 35 }, (_, i) => ({ ...USERS[0]!, id: i }))
    const chunks = [...tokenElements(users, SLOTS)]
    expect(chunks.map((chunk) => chunk.length)).to.deep.equal([480, 480, 160, 480, 480, 160])
  })

  it('have all different keys', () => {
    const keys = [...tokenElements(USERS, SLOTS)].flat().map(({ key }) => Buffer.from(key).toString('hex'))
    expect(new Set(keys).size).to.equal(2 * 3 * 16)
  })
})
