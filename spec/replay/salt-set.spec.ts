import { expect } from 'chai'
import fc from 'fast-check'
import { SaltSet, setBytes } from '../../lib/replay/salt-set.js'

/** Few enough to come again, and to crowd the index. */
const salts = fc.record({ high: fc.integer({ min: 0, max: 5 }), low: fc.integer({ min: 0, max: 20 }) })

describe("a user's set of salts", () => {
  it('holds just the last ones noted, in their order, as a list would', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        fc.array(fc.oneof({ weight: 20, arbitrary: salts }, { weight: 1, arbitrary: fc.constant('grow' as const) }), {
          maxLength: 300,
        }),
        (places, seed, steps) => {
          const set = new SaltSet(seed, places)
          const list: string[] = []
          for (const step of steps) {
            if (step === 'grow') {
              if (set.places < 200) set.grow(set.places * 2)
              continue
            }
            const name = `${step.high} ${step.low}`
            expect(set.has(step.high, step.low)).to.equal(list.includes(name))
            if (list.includes(name)) continue
            set.note(step.high, step.low)
            list.push(name)
            if (list.length > set.places) list.shift()
          }
          const held: string[] = []
          for (let number = set.first; number < set.next; number++) {
            const { high, low } = set.at(number)
            held.push(`${high} ${low}`)
          }
          expect(held).to.deep.equal(list)
          expect(set.size).to.equal(list.length)
          for (let high = 0; high <= 5; high++)
            for (let low = 0; low <= 20; low++) expect(set.has(high, low)).to.equal(list.includes(`${high} ${low}`))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('takes zeros and the greatest words for salts like any other', () => {
    const set = new SaltSet(7)
    for (const [high, low] of [
      [0, 0],
      [0xffffffff, 0xffffffff],
      [0, 0xffffffff],
      [0x80000000, 0],
    ] as const) {
      expect(set.has(high, low)).to.equal(false)
      set.note(high, low)
      expect(set.has(high, low)).to.equal(true)
    }
  })

  it('takes 16 bytes a salt where there are a million, and never more than 24', () => {
    expect(setBytes(1_000_000)).to.equal(8_000_000 + 4 * 2 ** 21)
    for (let places = 1; places <= 1_000_000; places = Math.ceil(places * 1.37))
      expect(setBytes(places) / places).to.be.within(16, 24)
  })
})
