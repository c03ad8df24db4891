import { expect } from 'chai'
import fc from 'fast-check'
import {
  type DueSlot,
  horizonFor,
  LEAD_MS,
  type Moment,
  msUntilDue,
  tagSlots,
  tokenLifeMs,
  tokenSlots,
  usedTimeoutMs,
} from '../../lib/slots/schedule.js'
import { SLOT_MS, slotOf } from '../../lib/wire/spa-keys.js'
import { NOW } from '../support/spa.js'

const HERE = slotOf(NOW)
const windows = fc.oneof(fc.constantFrom(10_000, 60_000, 300_000), fc.integer({ min: 10_000, max: 300_000 }))

function at(nowMs: number, more: Partial<Moment> = {}): Moment {
  const windowMs = more.windowMs ?? 60_000
  return { nowMs, windowMs, horizonMs: horizonFor(nowMs, windowMs), ...more }
}

const numbers = (due: readonly DueSlot[]) => due.map(({ slot }) => slot - HERE)

/** A monitor that rolls whenever something is due, and what the kernel holds of it: when each slot's elements end. */
class RolledKernel {
  readonly tagEnds = new Map<number, number>()
  readonly tokenEnds = new Map<number, number>()
  readonly tokensPut: { slot: number; atMs: number; endMs: number }[] = []
  horizonMs = 0
  #tagsUpTo: number | undefined
  #tokensUpTo: number | undefined

  /** `spentUpTo`: no token of a slot up to it may be put in, as after an untrusted start. */
  constructor(
    readonly windowMs: number,
    spentUpTo?: number,
  ) {
    this.#tokensUpTo = spentUpTo
  }

  roll(nowMs: number): void {
    this.horizonMs = Math.max(this.horizonMs, horizonFor(nowMs, this.windowMs))
    const moment = (installedUpTo?: number) =>
      at(nowMs, {
        windowMs: this.windowMs,
        horizonMs: this.horizonMs,
        ...(installedUpTo !== undefined && { installedUpTo }),
      })
    for (const { slot, timeoutMs } of tagSlots(moment(this.#tagsUpTo))) {
      expect(this.tagEnds.has(slot), 'tags are put in once').to.equal(false)
      this.tagEnds.set(slot, nowMs + timeoutMs)
      this.#tagsUpTo = slot
    }
    for (const { slot, timeoutMs } of tokenSlots(moment(this.#tokensUpTo))) {
      expect(this.tokenEnds.has(slot), 'tokens are put in once').to.equal(false)
      expect(slot).to.be.at.most(slotOf(this.horizonMs))
      this.tokenEnds.set(slot, nowMs + timeoutMs)
      this.tokensPut.push({ slot, atMs: nowMs, endMs: nowMs + timeoutMs })
      this.#tokensUpTo = slot
    }
  }
}

describe('the schedule of slots', () => {
  it('has the tags of the whole window from the start, and the next 5 s before its turn', () => {
    expect(numbers(tagSlots(at(NOW)))).to.deep.equal([-2, -1, 0, 1, 2])
    expect(numbers(tagSlots(at(NOW, { installedUpTo: HERE + 2 })))).to.deep.equal([])
    expect(numbers(tagSlots(at(NOW + 24_999, { installedUpTo: HERE + 2 })))).to.deep.equal([])
    expect(numbers(tagSlots(at(NOW + 25_000, { installedUpTo: HERE + 2 })))).to.deep.equal([3])
  })

  it('has the tokens of the last, this and the next slot, and those after 5 s before their turn', () => {
    expect(numbers(tokenSlots(at(NOW)))).to.deep.equal([-1, 0, 1])
    expect(numbers(tokenSlots(at(NOW + 24_999, { installedUpTo: HERE + 1 })))).to.deep.equal([])
    expect(numbers(tokenSlots(at(NOW + 25_000, { installedUpTo: HERE + 1 })))).to.deep.equal([2])
  })

  it('keeps tags until no datagram that carries them can be accepted', () => {
    const ends = tagSlots(at(NOW + 10_000)).map(({ slot, timeoutMs }) => NOW + 10_000 + timeoutMs - slot * SLOT_MS)
    expect(new Set(ends)).to.deep.equal(new Set([SLOT_MS + 60_000]))
  })

  it('keeps tokens until the slot after theirs has ended', () => {
    const due = tokenSlots(at(NOW + 10_000))
    expect(due.map(({ timeoutMs }) => timeoutMs)).to.deep.equal([20_000, 50_000, 80_000])
  })

  it('puts nothing in for less than a second: tokens not at all, tags for a second', () => {
    expect(numbers(tokenSlots(at(NOW + 29_001)))).to.deep.equal([0, 1, 2])
    expect(tagSlots(at(NOW + 29_999))[0]).to.deep.equal({ slot: HERE - 2, timeoutMs: 1_000 })
  })

  it('puts nothing in above the horizon, at or below what was put in, or before 1970', () => {
    expect(numbers(tagSlots(at(NOW, { horizonMs: NOW + 29_999 })))).to.deep.equal([-2, -1, 0])
    expect(numbers(tokenSlots(at(NOW, { horizonMs: NOW - 1 })))).to.deep.equal([-1])
    expect(tokenSlots(at(NOW, { installedUpTo: HERE + 1_000_000 }))).to.deep.equal([])
    expect(tagSlots(at(10_000)).map(({ slot }) => slot)).to.deep.equal([0, 1, 2])
    expect(tokenSlots(at(10_000)).map(({ slot }) => slot)).to.deep.equal([0, 1])
  })

  it('remembers a used token longer than any token can live', () => {
    expect(usedTimeoutMs(60_000)).to.equal(360_000)
    for (let windowMs = 10_000; windowMs <= 300_000; windowMs += 1_000)
      expect(usedTimeoutMs(windowMs)).to.be.at.least(tokenLifeMs(windowMs) + 60_000)
  })

  it('keeps every acceptable tag and token in the kernel and below the horizon, rolled only when something is due', () => {
    fc.assert(
      fc.property(windows, fc.nat(SLOT_MS), (windowMs, phase) => {
        const kernel = new RolledKernel(windowMs)
        let nowMs = NOW + phase
        const end = nowMs + 6 * SLOT_MS
        while (nowMs < end) {
          kernel.roll(nowMs)
          const wait = msUntilDue(nowMs, windowMs)
          expect(wait).to.be.within(1, SLOT_MS)
          for (const later of [0, 1, wait >> 1, wait - 1, wait]) {
            const now = nowMs + later
            expect(now + windowMs).to.be.at.most(kernel.horizonMs)
            for (let slot = slotOf(now - windowMs); slot <= slotOf(now + windowMs); slot++)
              expect(kernel.tagEnds.get(slot), `tags of ${slot - HERE}`).to.be.greaterThan(now)
            for (const slot of [slotOf(now), slotOf(now) + 1])
              expect(kernel.tokenEnds.get(slot), `tokens of ${slot - HERE}`).to.be.greaterThan(now)
          }
          nowMs += wait
        }
        for (const { slot, atMs, endMs } of kernel.tokensPut) {
          expect(endMs - atMs).to.be.within(1_000, tokenLifeMs(windowMs))
          expect(endMs).to.be.at.most((slot + 2) * SLOT_MS)
          if (slot > HERE + 1) expect(endMs, 'also while theirs is the last').to.equal((slot + 2) * SLOT_MS)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('never puts a token in twice, whatever the clock does and however often it starts anew', () => {
    const moves = fc.array(fc.tuple(fc.integer({ min: -200_000, max: 200_000 }), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(windows, moves, (windowMs, steps) => {
        const put: number[] = []
        let kernel = new RolledKernel(windowMs)
        let nowMs = NOW
        for (const [move, starts] of steps) {
          nowMs += move
          if (starts) {
            put.push(...kernel.tokenEnds.keys())
            const { horizonMs } = kernel
            kernel = new RolledKernel(windowMs, slotOf(horizonMs))
            kernel.horizonMs = horizonMs
          }
          kernel.roll(nowMs)
        }
        put.push(...kernel.tokenEnds.keys())
        expect(new Set(put).size).to.equal(put.length)
      }),
    )
  })

  it('is ahead by 5 s', () => {
    expect(LEAD_MS).to.equal(5_000)
    expect(msUntilDue(NOW, 60_000)).to.equal(25_000)
    expect(msUntilDue(NOW + 25_000, 60_000)).to.equal(30_000)
    expect(msUntilDue(NOW, 45_000)).to.equal(10_000)
  })
})
