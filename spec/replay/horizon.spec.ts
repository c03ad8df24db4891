import { expect } from 'chai'
import fc from 'fast-check'
import { ReplayError } from '../../lib/replay/error.js'
import {
  cautiousMarks,
  formatHorizon,
  HORIZON_FILE,
  Horizon,
  type HorizonMarks,
  parseHorizon,
  readHorizon,
} from '../../lib/replay/horizon.js'
import { MemoryDisk } from './memory-disk.js'
import { START_MS } from './requests.js'

const FIRST = { horizonMs: START_MS, tokensSlot: 100 }

function marksOf(horizon: Horizon): HorizonMarks {
  return { horizonMs: horizon.horizonMs, tokensSlot: horizon.tokensSlot }
}

describe('the horizon', () => {
  it('is a text that a person can read', () => {
    expect(formatHorizon(FIRST)).to.match(
      /^postern horizon 1\n# .*\nhorizon 1764000000000 2025-11-24T16:00:00.000Z\ntokens 100\ncheck [0-9a-f]{8}\n$/,
    )
  })

  it('reads what it wrote, and nothing in which any byte is another, missing or more', () => {
    const marks = fc.record({
      horizonMs: fc.integer({ min: 0, max: 8.64e15 }),
      tokensSlot: fc.integer({ min: 0, max: 2 ** 40 }),
    })
    fc.assert(
      fc.property(marks, fc.nat(1000), fc.integer({ min: 1, max: 255 }), (marks, pick, change) => {
        const text = formatHorizon(marks)
        expect(parseHorizon(text)).to.deep.equal(marks)
        const bytes = Buffer.from(text, 'latin1')
        const at = pick % bytes.length
        bytes[at]! ^= change
        expect(parseHorizon(bytes.toString('latin1'))).to.equal(undefined)
        expect(parseHorizon(text.slice(0, at))).to.equal(undefined)
        expect(parseHorizon(`${text}\n`)).to.equal(undefined)
      }),
    )
  })

  it('is the cautious one, written at once, where there is none or it is damaged', () => {
    for (const found of ['missing', 'damaged'] as const) {
      const disk = new MemoryDisk()
      if (found === 'damaged') disk.put(HORIZON_FILE, Buffer.from('postern horizon 1\n'))
      const cautious = cautiousMarks(START_MS, 60_000, 30_000)
      expect(cautious).to.deep.equal({ horizonMs: START_MS + 60_000, tokensSlot: START_MS / 30_000 + 5 })
      const horizon = Horizon.open(disk.mount(), cautious)
      expect(horizon.found.kind).to.equal(found)
      expect(marksOf(horizon)).to.deep.equal(cautious)
      expect(readHorizon(disk.mount())).to.deep.equal({ kind: 'present', marks: cautious })
    }
  })

  it('is only ever raised, each mark for itself, but by an operator', () => {
    const horizon = Horizon.open(new MemoryDisk().mount(), FIRST)
    horizon.advance(START_MS + 1, 99)
    expect(marksOf(horizon)).to.deep.equal({ horizonMs: START_MS + 1, tokensSlot: 100 })
    horizon.advance(START_MS, 101)
    expect(marksOf(horizon)).to.deep.equal({ horizonMs: START_MS + 1, tokensSlot: 101 })
    horizon.trust({ horizonMs: 5, tokensSlot: 6 })
    expect(marksOf(horizon)).to.deep.equal({ horizonMs: 5, tokensSlot: 6 })
  })

  it('is written only where it is raised', () => {
    const directory = new MemoryDisk().mount()
    const horizon = Horizon.open(directory, FIRST)
    const { calls } = directory
    horizon.advance(START_MS, 100)
    expect(directory.calls).to.equal(calls)
  })

  it('stays what it was where it cannot be written, and says so', () => {
    for (const operation of ['create', 'write', 'sync', 'rename', 'sync directory']) {
      for (const fault of ['enospc', 'short', 'eio'] as const) {
        if (fault === 'short' && operation !== 'write') continue
        const directory = new MemoryDisk().mount()
        const horizon = Horizon.open(directory, FIRST)
        directory.fault = (_call, called) => (called === operation ? fault : undefined)
        expect(() => horizon.advance(START_MS + 1, 101), operation)
          .to.throw(ReplayError)
          .with.property('code', 'horizon')
        expect(marksOf(horizon)).to.deep.equal(FIRST)
        directory.fault = () => undefined
        horizon.advance(START_MS + 1, 101)
        expect(marksOf(horizon)).to.deep.equal({ horizonMs: START_MS + 1, tokensSlot: 101 })
      }
    }
  })

  it('refuses to start where its directory takes no writing at all', () => {
    const directory = new MemoryDisk().mount()
    directory.fault = () => 'eio'
    expect(() => Horizon.open(directory, FIRST)).to.throw(ReplayError)
  })

  it('refuses marks that are no time and no slot', () => {
    const horizon = Horizon.open(new MemoryDisk().mount(), FIRST)
    expect(() => horizon.advance(Number.NaN, 0)).to.throw(ReplayError)
    expect(() => horizon.advance(START_MS + 0.5, 0)).to.throw(ReplayError)
    expect(() => horizon.trust({ horizonMs: -1, tokensSlot: 0 })).to.throw(ReplayError)
    expect(marksOf(horizon)).to.deep.equal(FIRST)
  })

  it('on disk is never below what was acted on, when the power is cut at any step of any write', () => {
    const raised = Array.from({ length: 4 }, (_, i) => ({ horizonMs: START_MS + i, tokensSlot: 100 + i }))
    const run = (disk: MemoryDisk, call: number, after: boolean, interrupted: boolean) => {
      const directory = disk.mount()
      if (interrupted) directory.killAt = { call, after }
      let actedOn: HorizonMarks | undefined
      try {
        const horizon = Horizon.open(directory, raised[0]!)
        actedOn = marksOf(horizon)
        for (const { horizonMs, tokensSlot } of raised) {
          horizon.advance(horizonMs, tokensSlot)
          actedOn = marksOf(horizon)
        }
      } catch (error) {
        expect(directory.isKilled, String(error)).to.equal(true)
      }
      return { actedOn, calls: directory.calls }
    }
    const { calls } = run(new MemoryDisk(), 0, false, false)
    let cuts = 0
    for (let call = 0; call < calls; call++) {
      for (const after of [false, true]) {
        const unsynced = (() => {
          const disk = new MemoryDisk()
          run(disk, call, after, true)
          return disk.unsyncedNames
        })()
        for (let namesKept = 0; namesKept <= unsynced; namesKept++) {
          for (const bytes of ['lost', 'kept', 'zeros'] as const) {
            const disk = new MemoryDisk()
            const { actedOn } = run(disk, call, after, true)
            disk.cutPower(namesKept, bytes)
            cuts++
            const found = readHorizon(disk.mount())
            if (found.kind === 'present' && actedOn !== undefined) {
              expect(found.marks.horizonMs).to.be.at.least(actedOn.horizonMs)
              expect(found.marks.tokensSlot).to.be.at.least(actedOn.tokensSlot)
            }
            if (found.kind !== 'present')
              expect(actedOn, `${call} ${after} ${namesKept} ${bytes}: ${found.kind}`).to.equal(undefined)
          }
        }
      }
    }
    expect(cuts).to.be.greaterThan(200)
  })

  it('that was read is made durable before it is acted on: its writer may have died before its last fsync', () => {
    const disk = new MemoryDisk()
    Horizon.open(disk.mount(), FIRST)
    const writer = disk.mount()
    const interrupted = Horizon.open(writer, FIRST)
    writer.fault = (_call, operation) => (operation === 'sync directory' ? 'eio' : undefined)
    expect(() => interrupted.advance(START_MS + 7, 107)).to.throw(ReplayError)
    const next = Horizon.open(disk.mount(), FIRST)
    expect(next.horizonMs).to.equal(START_MS + 7)
    disk.cutPower(0, 'lost')
    expect(Horizon.open(disk.mount(), FIRST).horizonMs).to.equal(START_MS + 7)
  })
})
