import { expect } from 'chai'
import fc from 'fast-check'
import type { Entry } from '../../lib/replay/extent.js'
import { ReplayWindow } from '../../lib/replay/window.js'
import { idOf, START_MS, WINDOW_MS } from './requests.js'

function entry(number: number, timeMs: number, monoMs: number, user = 1): Entry {
  return { user, id: idOf(number), timeMs, expiresMs: timeMs + WINDOW_MS, expiresMonoMs: monoMs + 2 * WINDOW_MS }
}

describe('the replay window in memory', () => {
  it('refuses what it noted, for that user and id only', () => {
    const window = new ReplayWindow(100)
    window.note(entry(1, START_MS, 0))
    expect(window.refusal(1, idOf(1), START_MS)).to.equal('replayed')
    expect(window.refusal(2, idOf(1), START_MS)).to.equal(undefined)
    expect(window.refusal(1, idOf(2), START_MS)).to.equal(undefined)
    expect(window.refusal(1, idOf(1).subarray(0, 23), START_MS)).to.equal(undefined)
  })

  it('keeps an entry until both clocks are past its end, and refuses by the floor from then on', () => {
    const noted = entry(1, START_MS, 0)
    for (const [wallMs, monoMs, refusal] of [
      [noted.expiresMs + 1, noted.expiresMonoMs, 'replayed'],
      [noted.expiresMs, noted.expiresMonoMs + 1, 'replayed'],
      [START_MS - 1e9, noted.expiresMonoMs + 1, 'replayed'],
      [noted.expiresMs + 1, noted.expiresMonoMs + 1, 'floor'],
    ] as const) {
      const window = new ReplayWindow(100)
      window.note(noted)
      window.sweep({ wallMs, monoMs })
      expect(window.refusal(1, noted.id, START_MS), `${wallMs} ${monoMs}`).to.equal(refusal)
    }
  })

  it('has a floor for each user: what is dropped for one refuses nothing for another', () => {
    const window = new ReplayWindow(100)
    const noted = entry(1, START_MS, 0, 7)
    window.note(noted)
    window.sweep({ wallMs: noted.expiresMs + 1, monoMs: noted.expiresMonoMs + 1 })
    expect(window.size).to.equal(0)
    expect(window.refusal(7, idOf(2), START_MS)).to.equal('floor')
    expect(window.refusal(7, idOf(2), START_MS + 1)).to.equal(undefined)
    expect(window.refusal(8, idOf(2), START_MS)).to.equal(undefined)
  })

  it('is never filled by users: k of them leave 1/(4k + 1) free for the next', () => {
    for (const greedy of [1, 2, 10]) {
      const window = new ReplayWindow(4100)
      for (let number = 0; number < 5000; number++) {
        for (let user = 1; user <= greedy; user++) {
          if (window.refusal(user, idOf(number), START_MS) === undefined) window.note(entry(number, START_MS, 0, user))
        }
      }
      expect(window.refusal(1, idOf(9999), START_MS)).to.equal('full')
      expect(window.refusal(99, idOf(9999), START_MS)).to.equal(undefined)
      expect(4100 - window.size).to.be.within(4100 / (4 * greedy + 1) - greedy, 4100 / (4 * greedy + 1) + 1)
    }
  })

  it('has room again when its entries have gone', () => {
    const window = new ReplayWindow(5)
    for (let number = 0; number < 5; number++) window.note(entry(number, START_MS, 0))
    expect(window.refusal(2, idOf(9), START_MS + 1)).to.equal('full')
    window.sweep({ wallMs: START_MS + WINDOW_MS + 1, monoMs: 2 * WINDOW_MS + 1 })
    expect(window.refusal(2, idOf(9), START_MS + 1)).to.equal(undefined)
  })

  it('keeps no more floors than it has places, and forgets none', () => {
    const window = new ReplayWindow(10)
    for (let user = 1; user <= 11; user++) window.note(entry(1, START_MS + user, 0, user))
    window.sweep({ wallMs: START_MS + WINDOW_MS + 100, monoMs: 2 * WINDOW_MS + 100 })
    expect(window.floorMs).to.equal(START_MS + 11)
    expect(window.refusal(3, idOf(5), START_MS + 11)).to.equal('floor')
  })

  it('gives back all that it holds above a time, so that it is refused by whatever takes it up', () => {
    const window = new ReplayWindow(1000)
    for (let number = 0; number < 200; number++) window.note(entry(number, START_MS + number * 100, number, number % 7))
    const other = new ReplayWindow(1000)
    for (const kept of window.entriesAbove(START_MS + 10_000)) other.note(kept)
    for (let number = 101; number < 200; number++) {
      expect(other.refusal(number % 7, idOf(number), START_MS + number * 100)).to.equal('replayed')
    }
  })

  const steps = fc.array(
    fc.record({
      user: fc.integer({ min: 1, max: 3 }),
      number: fc.integer({ min: 0, max: 40 }),
      wallStepMs: fc.integer({ min: -200_000, max: 200_000 }),
      monoStepMs: fc.integer({ min: 0, max: 90_000 }),
      agoMs: fc.integer({ min: -WINDOW_MS, max: WINDOW_MS }),
    }),
    { maxLength: 80 },
  )

  it('never takes what a list of everything ever noted has, whatever the clocks do', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const window = new ReplayWindow(1000)
        const noted = new Map<string, Entry>()
        let [wallMs, monoMs] = [START_MS, 0]
        for (const { user, number, wallStepMs, monoStepMs, agoMs } of taken) {
          wallMs += wallStepMs
          monoMs += monoStepMs
          window.sweep({ wallMs, monoMs })
          const known = noted.get(`${user} ${number}`)
          const timeMs = known?.timeMs ?? wallMs - agoMs
          if (window.refusal(user, idOf(number), timeMs) !== undefined) continue
          expect(known, `user ${user}, id ${number} taken twice`).to.equal(undefined)
          const fresh = { ...entry(number, timeMs, 0, user), expiresMonoMs: monoMs + WINDOW_MS - agoMs }
          window.note(fresh)
          noted.set(`${user} ${number}`, fresh)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes all that the list has not, as long as the clocks go alike', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const window = new ReplayWindow(1000)
        const noted = new Set<string>()
        let elapsedMs = 0
        for (const { user, number, monoStepMs, agoMs } of taken) {
          elapsedMs += monoStepMs
          const [wallMs, monoMs] = [START_MS + elapsedMs, elapsedMs]
          window.sweep({ wallMs, monoMs })
          const key = `${user} ${number}`
          if (noted.has(key)) continue
          expect(window.refusal(user, idOf(number), wallMs - agoMs)).to.equal(undefined)
          window.note({ ...entry(number, wallMs - agoMs, 0, user), expiresMonoMs: monoMs + WINDOW_MS - agoMs })
          noted.add(key)
        }
      }),
      { numRuns: 500 },
    )
  })
})
