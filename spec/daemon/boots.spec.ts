import { expect } from 'chai'
import fc from 'fast-check'
import { WINDOW_MS } from '../replay/requests.js'
import { Boots, type Stop } from './boots.js'

type Event = (boots: Boots) => void

const user = fc.integer({ min: 1, max: 3 })
const large = fc.integer({ min: 0, max: 1_000_000 })
const knocks: fc.Arbitrary<Event> = fc.tuple(user, fc.integer({ min: -WINDOW_MS, max: WINDOW_MS })).map(
  ([user, agoMs]) =>
    (boots) =>
      void boots.knock(user, agoMs),
)
const replays: fc.Arbitrary<Event> = large.map((pick) => (boots) => boots.again(pick))
const waits: fc.Arbitrary<Event> = fc.integer({ min: 0, max: 40_000 }).map((ms) => (boots) => boots.pass(ms))
const starts: fc.Arbitrary<Event> = fc.constant((boots) => boots.start())
const kills: fc.Arbitrary<Event> = fc.boolean().map((all) => (boots) => (all ? boots.kill() : boots.listenAnew()))
const crashes: fc.Arbitrary<Event> = fc.constant((boots) => {
  boots.kill()
  boots.start()
})
const stop: fc.Arbitrary<Stop> = fc.record(
  {
    isAnswerLost: fc.constantFrom(false, false, false, true),
    picks: fc.array(large, { maxLength: 4 }),
    killAt: fc.record({ calls: fc.integer({ min: 0, max: 8 }), after: fc.boolean() }),
  },
  { requiredKeys: [] },
)
const stops: fc.Arbitrary<Event> = stop.map((how) => (boots) => void boots.stop(how))
const quick = fc.integer({ min: 0, max: 90_000 })
const reboots: fc.Arbitrary<Event> = fc
  .tuple(
    fc.option(stop),
    fc.oneof({ weight: 4, arbitrary: quick }, fc.integer({ min: -200_000, max: 1_000_000 })),
    fc.option(
      fc.record({
        namesKept: fc.integer({ min: 0, max: 4 }),
        unsynced: fc.constantFrom('lost' as const, 'kept' as const, 'zeros' as const),
      }),
    ),
  )
  .map(([how, takesMs, power]) => (boots) => {
    if (how !== null) boots.stop(how)
    boots.reboot(boots.wallMs + takesMs, power ?? undefined)
    boots.start()
    boots.allAgain()
  })
const clockSteps: fc.Arbitrary<Event> = fc
  .oneof(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: -1e10, max: 1e10 }))
  .map((ms) => (boots) => {
    boots.wallMs = Math.max(0, boots.wallMs + ms)
  })
const losses: fc.Arbitrary<Event> = fc.constant((boots) => {
  for (const name of [...boots.tmpfs.files.keys()]) boots.tmpfs.delete(name)
})
const fills: fc.Arbitrary<Event> = fc.boolean().map((isFull) => (boots) => boots.fill(isFull))

function among(...weighted: [number, fc.Arbitrary<Event>][]): fc.Arbitrary<Event[]> {
  const arbitraries = weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))
  return fc.array(fc.oneof(...arbitraries), { minLength: 1, maxLength: 80, size: 'max' })
}

describe('a server that is stopped, killed and booted', () => {
  it('accepts nothing twice and puts no token in twice, whatever becomes of clocks, stops, power and disks', function () {
    this.timeout(120_000)
    const events = among(
      [24, knocks],
      [8, replays],
      [6, waits],
      [6, starts],
      [3, stops],
      [3, reboots],
      [1, kills],
      [1, crashes],
      [1, clockSteps],
      [1, losses],
      [1, fills],
    )
    let accepted = 0
    fc.assert(
      fc.property(events, (happened) => {
        const boots = new Boots()
        boots.pass(2 * WINDOW_MS)
        for (const event of happened) event(boots)
        boots.fill(false)
        for (const takesMs of [0, 1_000, 30_000]) {
          boots.start()
          boots.allAgain()
          boots.knock(1, -WINDOW_MS / 2)
          boots.stop()
          boots.reboot(boots.wallMs + takesMs)
          boots.start()
          boots.allAgain()
        }
        boots.pass(WINDOW_MS)
        boots.allAgain()
        accepted += boots.accepted.size
      }),
      { numRuns: 1500 },
    )
    expect(accepted, 'it accepts enough for this to mean anything').to.be.greaterThan(10_000)
  })

  it('accepts what is made after a boot at once where it was stopped in order, and only then', () => {
    const events = among(
      [
        12,
        fc.tuple(user, quick).map(
          ([who, agoMs]) =>
            (boots) =>
              void boots.knock(who, agoMs),
        ),
      ],
      [4, waits],
      [1, kills],
      [1, crashes],
      [2, starts],
    )
    fc.assert(
      fc.property(events, fc.boolean(), quick, (happened, isInOrder, takesMs) => {
        const boots = new Boots()
        boots.pass(2 * WINDOW_MS)
        for (const event of happened) event(boots)
        // Past what the horizon was when the last run began: a crash a moment ago is none that was ended in order.
        boots.start()
        boots.pass(2 * WINDOW_MS)
        if (isInOrder) expect(boots.stop()).to.equal(true)
        boots.reboot(boots.wallMs + takesMs)
        const aheadMs = boots.wallMs - takesMs + WINDOW_MS
        boots.start()
        boots.wallMs += 1
        boots.monoMs += 1
        const admission = boots.knock(1, 0)
        if (isInOrder) expect(admission).to.equal('fresh')
        else if (boots.wallMs < aheadMs) expect(admission).to.equal('untrusted')
      }),
      { numRuns: 300 },
    )
  })
})
