import { expect } from 'chai'
import fc from 'fast-check'
import type { ServerConfig } from '../../lib/config/types.js'
import { Roller } from '../../lib/daemon/roller.js'
import type { UserKeys } from '../../lib/daemon/user-keys.js'
import type { SetElement } from '../../lib/firewall/types.js'
import type { Horizon } from '../../lib/replay/horizon.js'
import { deriveKeys, SLOT_MS, slotOf, tagOf, tokenOf } from '../../lib/wire/spa-keys.js'

const START = 1_800_000_000_000
const RESOURCE = 0x2a
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function user(id: number): UserKeys {
  return { id, ...deriveKeys(new Uint8Array(32).fill(id), 'realm') }
}

function config(windowMs = 60_000, instant = true, fwknopAgeMs?: number): ServerConfig {
  const resource = { id: RESOURCE, instant, target: { kind: 'ports', ports: [], protocols: [] } }
  const fwknop = fwknopAgeMs === undefined ? {} : { fwknop: { settings: { maxAgeMs: fwknopAgeMs } } }
  return { spa: { windowMs }, ...fwknop, resources: new Map([[RESOURCE, resource]]) } as unknown as ServerConfig
}

/** A disk that may be full, a kernel that remembers what it was given, and what the listener was told. */
function world(start = { horizonMs: START, tokensSlot: slotOf(START) - 2 }) {
  const disk = { ...start, full: false }
  const horizon = {
    get horizonMs() {
      return disk.horizonMs
    },
    get tokensSlot() {
      return disk.tokensSlot
    },
    advance(horizonMs: number, tokensSlot: number) {
      if (disk.full) throw new Error('disk full')
      disk.horizonMs = Math.max(disk.horizonMs, horizonMs)
      disk.tokensSlot = Math.max(disk.tokensSlot, tokensSlot)
    },
  } as unknown as Horizon
  const tags = new Set<string>()
  const tokens: string[] = []
  const told: number[] = []
  const sets = {
    installTags: (elements: readonly SetElement[]) => {
      for (const element of elements) tags.add(hex(element.key))
    },
    installTokens: (_: number, elements: readonly SetElement[]) =>
      tokens.push(...elements.map((element) => hex(element.key))),
    removeTags: (keys: readonly Uint8Array[]) => {
      for (const key of keys) tags.delete(hex(key))
    },
    removeTokens: (_: number, keys: readonly Uint8Array[]) => {
      for (const key of keys) {
        const at = tokens.indexOf(hex(key))
        if (at >= 0) tokens.splice(at, 1)
      }
    },
  }
  const holdsTokens = () => false
  const parts = { horizon, sets, holdsTokens, breathe: async () => {}, onHorizon: (ms: number) => void told.push(ms) }
  return { disk, tags, tokens, told, parts }
}

describe('the roller', () => {
  it('writes the horizon as far ahead as fwknop’s times may be, and an age of an hour no further than five minutes', async () => {
    for (const [ageMs, leastMs, mostMs] of [
      [undefined, 60_000, 100_000],
      [30_000, 60_000, 100_000],
      [120_000, 120_000, 160_000],
      [3_600_000, 300_000, 340_000],
    ] as const) {
      const { disk, parts, tags } = world()
      const roller = new Roller(parts, config(), [user(1)])
      await roller.roll(START)
      const tagsBefore = tags.size
      roller.replaceUsers(config(60_000, true, ageMs), [user(1)], START)
      await roller.roll(START)
      expect(disk.horizonMs - START, `${ageMs}`).to.be.within(leastMs, mostMs)
      expect(tags.size, 'tags are of SPA’s window').to.equal(tagsBefore)
    }
  })

  it('has the tags of every acceptable slot in the kernel, and the horizon beyond them, at all times', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 300 }),
        fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 20 }),
        async (window, steps) => {
          const { disk, tags, parts } = world()
          const roller = new Roller(parts, config(window * 1000), [user(1)])
          let now = START
          for (const step of [0, ...steps]) {
            now += step
            await roller.roll(now)
            expect(disk.horizonMs).to.be.at.least(now + window * 1000)
            for (let slot = slotOf(now - window * 1000); slot <= slotOf(now + window * 1000); slot++)
              for (let index = 0; index < 4; index++)
                expect(tags.has(hex(tagOf(user(1).tag, slot, index))), `slot ${slot}`).to.equal(true)
          }
        },
      ),
      { numRuns: 10 },
    )
  })

  it('puts no token in twice, over restarts and lost sets, and none at or below what an earlier run wrote', async () => {
    const slotOfToken = new Map<string, number>()
    for (let slot = slotOf(START) - 60; slot < slotOf(START) + 60; slot++)
      for (let index = 0; index < 16; index++)
        slotOfToken.set(hex(tokenOf(user(1).instant!, slot, RESOURCE, index)), slot)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('step', 'restart', 'lost', 'back'), { maxLength: 25 }),
        async (events) => {
          const { disk, tokens, parts } = world()
          let roller = new Roller(parts, config(), [user(1)])
          let now = START
          for (const event of events) {
            if (event === 'step') now += 17_000
            if (event === 'back') now -= 40_000
            if (event === 'restart') roller = new Roller(parts, config(), [user(1)])
            if (event === 'lost') roller.setsWereLost()
            const written = disk.tokensSlot
            const before = tokens.length
            await roller.roll(now)
            for (const token of tokens.slice(before)) expect(slotOfToken.get(token)).to.be.greaterThan(written)
          }
          expect(new Set(tokens).size).to.equal(tokens.length)
        },
      ),
      { numRuns: 20 },
    )
  })

  describe('puts in no token of a slot that began without it, for its datagrams may be in somebody’s hands', () => {
    const slotsOf = (tokens: readonly string[], from: number, to: number) => {
      const slots: number[] = []
      for (let slot = slotOf(from) - 2; slot <= slotOf(to) + 3; slot++)
        if (tokens.includes(hex(tokenOf(user(1).instant!, slot, RESOURCE, 0)))) slots.push(slot - slotOf(to))
      return slots
    }

    it('at a first start', async () => {
      const { tokens, parts } = world()
      await new Roller(parts, config(), [user(1)]).roll(START)
      expect(slotsOf(tokens, START, START)).to.deep.equal([1])
    })

    it('after a stop in which slots went by', async () => {
      const { tokens, parts } = world()
      await new Roller(parts, config(), [user(1)]).roll(START)
      tokens.length = 0
      const later = START + 4 * SLOT_MS
      await new Roller(parts, config(), [user(1)]).roll(later)
      expect(slotsOf(tokens, START, later)).to.deep.equal([1])
    })

    it('where the first instant resource comes with a reload', async () => {
      const { tokens, parts } = world()
      const roller = new Roller(parts, config(60_000, false), [user(1)])
      await roller.roll(START)
      const later = START + SLOT_MS
      roller.replaceUsers(config(), [user(1)], later)
      await roller.roll(later)
      expect(slotsOf(tokens, START, later)).to.deep.equal([1])
    })

    it('and all of those that it puts in on time', async () => {
      const { tokens, parts } = world()
      const roller = new Roller(parts, config(), [user(1)])
      for (let at = START; at < START + 5 * SLOT_MS; at += 1000) await roller.roll(at)
      expect(slotsOf(tokens, START, START)).to.deep.equal([1, 2, 3])
    })
  })

  it('takes out the tokens of who has less time by a new configuration than they would live', async () => {
    const { tokens, parts } = world()
    const roller = new Roller(parts, config(), [user(1), user(2), user(3)])
    for (let at = START; at < START + 3 * SLOT_MS; at += 1000) await roller.roll(at)
    const now = START + 3 * SLOT_MS
    const bounded = [{ ...user(1), tokensUntilMs: now }, { ...user(2), tokensUntilMs: now + 10 * SLOT_MS }, user(3)]
    roller.replaceUsers(config(), bounded, now)
    const has = (id: number, slot: number) => tokens.includes(hex(tokenOf(user(id).instant!, slot, RESOURCE, 0)))
    for (const slot of [slotOf(now), slotOf(now) + 1])
      expect([1, 2, 3].map((id) => has(id, slot))).to.deep.equal([false, true, true])
  })

  it('installs nothing above the horizon while the disk is full, and says so', async () => {
    const { disk, tags, tokens, told, parts } = world()
    const roller = new Roller(parts, config(), [user(1)])
    disk.full = true
    let failure: unknown
    await roller.roll(START).catch((error) => {
      failure = error
    })
    expect(String(failure)).to.contain('disk full')
    expect(tags.size + tokens.length + told.length).to.equal(0)
    disk.full = false
    await roller.roll(START)
    expect(tags.size).to.be.greaterThan(0)
    expect(told).to.deep.equal([disk.horizonMs])
  })

  it('puts tags back when the sets were lost, also while it is rolling', async () => {
    const { tags, parts } = world()
    let lose = () => {}
    const roller = new Roller({ ...parts, breathe: async () => lose() }, config(), [user(1)])
    await roller.roll(START)
    const all = tags.size
    tags.clear()
    roller.setsWereLost()
    lose = () => {
      lose = () => {}
      tags.clear()
      roller.setsWereLost()
    }
    await roller.roll(START)
    expect(tags.size).to.equal(all)
  })

  it('puts no token in while the machine goes to sleep, tags all the same, and none of a slot that has begun when it wakes', async () => {
    const { tags, tokens, parts } = world()
    let isAsleep = false
    const roller = new Roller({ ...parts, holdsTokens: () => isAsleep }, config(), [user(1)])
    await roller.roll(START)
    expect(tokens).to.not.deep.equal([])
    isAsleep = true
    tokens.length = 0
    roller.tokensWereLost()
    const known = tags.size
    for (let at = START; at < START + 4 * SLOT_MS; at += 1000) await roller.roll(at)
    expect(tokens).to.deep.equal([])
    expect(tags.size).to.be.greaterThan(known)
    isAsleep = false
    const wokeAt = START + 100.5 * SLOT_MS
    await roller.roll(wokeAt)
    const has = (slot: number) => tokens.includes(hex(tokenOf(user(1).instant!, slot, RESOURCE, 0)))
    expect([-1, 0, 1].map((ahead) => has(slotOf(wokeAt) + ahead))).to.deep.equal([false, false, true])
  })

  it('puts no more in where the machine goes to sleep in the midst of a roll', async () => {
    const { tokens, parts } = world()
    const many = Array.from({ length: 400 }, (_, id) => user(id + 1))
    let isAsleep = false
    let chunks = 0
    const roller: Roller = new Roller(
      {
        ...parts,
        holdsTokens: () => isAsleep,
        breathe: async () => {
          if (tokens.length === 0 || ++chunks < 2) return
          isAsleep = true
          tokens.length = 0
          roller.tokensWereLost()
        },
      },
      config(),
      many,
    )
    await roller.roll(START)
    expect(isAsleep).to.equal(true)
    expect(tokens).to.deep.equal([])
    await roller.roll(START + SLOT_MS)
    expect(tokens).to.deep.equal([])
  })

  it('takes away all tags and tokens of a user who is gone, and none of one who stays', async () => {
    const { tags, tokens, parts } = world()
    const roller = new Roller(parts, config(), [user(1), user(2)])
    for (let i = 0; i < 6; i++) await roller.roll(START + i * SLOT_MS)
    const now = START + 5 * SLOT_MS
    roller.replaceUsers(config(), [user(2)], now)
    for (let slot = slotOf(now) - 2; slot <= slotOf(now) + 3; slot++) {
      for (let index = 0; index < 4; index++) expect(tags.has(hex(tagOf(user(1).tag, slot, index)))).to.equal(false)
      for (let index = 0; index < 16; index++)
        expect(tokens).not.to.include(hex(tokenOf(user(1).instant!, slot, RESOURCE, index)))
    }
    expect(tags.has(hex(tagOf(user(2).tag, slotOf(now), 0)))).to.equal(true)
    expect(tokens).to.include(hex(tokenOf(user(2).instant!, slotOf(now), RESOURCE, 0)))
  })

  for (const [what, stepMs] of [
    ['set forward by an hour', 3_600_000],
    ['set back by an hour', -3_600_000],
    ['ten years ahead, and set right', -10 * 31_536_000_000],
  ] as const)
    it(`takes away the tags of a user who is gone at once, after a clock ${what}`, async () => {
      const { tags, tokens, parts } = world()
      const roller = new Roller(parts, config(), [user(1)])
      await roller.roll(START)
      await roller.roll(START + stepMs)
      const began = performance.now()
      roller.replaceUsers(config(), [], START + stepMs)
      expect(performance.now() - began, 'ms').to.be.below(2_000)
      expect(tags.size).to.equal(0)
      expect(tokens).to.deep.equal([])
    })
})
