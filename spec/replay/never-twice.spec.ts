import { expect } from 'chai'
import fc from 'fast-check'
import type { Replay } from '../../lib/replay/replay.js'
import { MemoryDisk } from './memory-disk.js'
import { openAt } from './open-at.js'
import { request, START_MS, WINDOW_MS } from './requests.js'
import { World } from './world.js'

type Event = (world: World) => void

const user = fc.integer({ min: 1, max: 3 })
const small = fc.integer({ min: 0, max: 40 })
const large = fc.integer({ min: 0, max: 1_000_000 })

const knocks: fc.Arbitrary<Event> = fc.tuple(user, fc.integer({ min: -WINDOW_MS, max: WINDOW_MS })).map(
  ([user, agoMs]) =>
    (world) =>
      void world.knock(user, agoMs),
)
const strays: fc.Arbitrary<Event> = fc.tuple(user, fc.integer({ min: -4_000_000, max: 4_000_000 })).map(
  ([user, agoMs]) =>
    (world) =>
      void world.knock(user, agoMs),
)
const replays: fc.Arbitrary<Event> = large.map((pick) => (world) => world.again(pick))
const waits: fc.Arbitrary<Event> = fc.integer({ min: 0, max: 40_000 }).map((ms) => (world) => world.pass(ms))
const longWaits: fc.Arbitrary<Event> = fc.integer({ min: 0, max: 400_000 }).map((ms) => (world) => world.pass(ms))
const clockSteps: fc.Arbitrary<Event> = fc
  .oneof(
    { weight: 5, arbitrary: fc.integer({ min: -100_000, max: 100_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -1e10, max: 1e10 }) },
  )
  .map((ms) => (world) => world.stepWall(ms))
const slots: fc.Arbitrary<Event> = fc.boolean().map((canWrite) => (world) => world.turnSlot(canWrite))
const restarts: fc.Arbitrary<Event> = fc.constant((world: World) => world.restart())
const kills: fc.Arbitrary<Event> = fc.tuple(small, fc.boolean()).map(
  ([calls, after]) =>
    (world) =>
      world.killAt(calls, after),
)
const reboots: fc.Arbitrary<Event> = fc
  .tuple(fc.boolean(), fc.oneof(fc.constant(0), fc.integer({ min: START_MS - 1e9, max: START_MS + 1e9 })))
  .map(
    ([keepsDisk, wallMs]) =>
      (world) =>
        world.reboot(keepsDisk, wallMs),
  )
const harms: fc.Arbitrary<Event> = fc
  .tuple(fc.constantFrom('byte' as const, 'delete' as const, 'cut' as const), large)
  .map(
    ([kind, pick]) =>
      (world) =>
        world.harm(kind, pick),
  )
const faults: fc.Arbitrary<Event> = fc
  .tuple(fc.constantFrom('enospc' as const, 'short' as const, 'eio' as const), small, fc.integer({ min: 1, max: 30 }))
  .map(
    ([fault, ahead, count]) =>
      (world) =>
        world.fail(fault, ahead, count),
  )

function among(...weighted: [number, fc.Arbitrary<Event>][]): fc.Arbitrary<Event[]> {
  return fc.array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
    minLength: 1,
    maxLength: 120,
    size: 'max',
  })
}

function happen(events: readonly Event[]): World {
  const world = new World()
  world.pass(2 * WINDOW_MS)
  for (const event of events) event(world)
  return world
}

describe('the replay window of a server', () => {
  it('accepts nothing twice, whatever happens to clocks, process, disk and machine', function () {
    this.timeout(120_000)
    const events = among(
      [24, knocks],
      [1, strays],
      [12, replays],
      [8, waits],
      [1, longWaits],
      [1, clockSteps],
      [2, slots],
      [1, restarts],
      [2, kills],
      [1, reboots],
      [1, harms],
      [1, faults],
    )
    let accepted = 0
    fc.assert(
      fc.property(events, (happened) => {
        const world = happen(happened)
        world.allAgain()
        world.restart()
        world.allAgain()
        world.pass(WINDOW_MS / 2)
        world.turnSlot()
        world.allAgain()
        world.pass(3 * WINDOW_MS)
        world.turnSlot()
        world.restart()
        world.allAgain()
        world.reboot(false, world.wallMs)
        world.allAgain()
        accepted += world.accepted.size
      }),
      { numRuns: 1500 },
    )
    expect(accepted, 'the worlds accept enough for this to mean anything').to.be.greaterThan(10_000)
  })

  it('accepts all that is fresh and in time, as long as the clocks are steady, over any number of kills and restarts', function () {
    this.timeout(120_000)
    const events = among([12, knocks], [4, replays], [5, waits], [2, restarts], [2, kills])
    fc.assert(
      fc.property(events, (happened) => {
        const world = new World()
        world.pass(4 * WINDOW_MS)
        world.turnSlot()
        let killed = 0
        for (const event of happened) {
          const before = { process: world.process, known: world.requests.length, accepted: world.accepted.size }
          event(world)
          world.turnSlot()
          if (world.process !== before.process) killed++
          else if (world.requests.length > before.known) {
            expect(world.accepted.size, JSON.stringify(world.replay.status())).to.equal(before.accepted + 1)
          }
        }
        if (killed > 0) expect(world.replay.status().trusted).to.equal(true)
      }),
      { numRuns: 500 },
    )
  })

  it('accepts nothing twice where two processes are at one journal, also while the disk is full now and then', () => {
    const happened = fc.array(
      fc.record({
        isFirst: fc.boolean(),
        number: fc.integer({ min: 0, max: 25 }),
        passMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60_000 })),
        isFull: fc.constantFrom(false, false, true),
        isTrusted: fc.constantFrom(false, false, false, false, false, false, true),
      }),
      { maxLength: 120, size: 'max' },
    )
    fc.assert(
      fc.property(happened, fc.integer({ min: 0, max: 20 }), (steps, before) => {
        const disk = new MemoryDisk()
        const now = { wallMs: START_MS, monoMs: 1000 }
        const firstDisk = disk.mount()
        const secondDisk = disk.mount()
        const accepted = new Set<string>()
        const take = (replay: Replay, number: number, timeMs: number) => {
          if (replay.admit(request(number, timeMs), now) !== 'fresh') return
          expect(accepted.has(`${number} ${timeMs}`), `${number} twice`).to.equal(false)
          accepted.add(`${number} ${timeMs}`)
        }
        const first = openAt(firstDisk, now)
        for (let number = 0; number < before; number++) take(first, number, now.wallMs)
        const second = openAt(secondDisk, now)
        let timeMs = START_MS
        for (const { isFirst, number, passMs, isFull, isTrusted } of steps) {
          now.wallMs += passMs
          now.monoMs += passMs
          if (passMs > 30_000) timeMs = now.wallMs
          const [replay, mounted] = isFirst ? [first, firstDisk] : [second, secondDisk]
          mounted.fault = (_call, called) => (isFull && called === 'write' ? 'enospc' : undefined)
          if (isTrusted) replay.trust(START_MS - 1, START_MS + 1e9, now)
          take(replay, number, timeMs)
        }
        const third = openAt(disk.mount(), now)
        if (third.status().trusted) for (let number = 0; number < 30; number++) take(third, number, timeMs)
      }),
      { numRuns: 1000 },
    )
  })
})
