import { expect } from 'chai'
import fc from 'fast-check'
import { rhythmOfLease, rhythmOfPeriod, Schedule } from '../../lib/client/keepalive-schedule.js'

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const lease = fc.integer({ min: 100, max: 2 ** 32 * 1000 })

describe('the schedule of a keepalive', () => {
  it('begins at once', () => expect(new Schedule(rhythmOfLease(30_000), () => 0.5, 77).dueMs).to.equal(77))

  it('renews twice within every lease, so that one lost datagram leaves no gap', () => {
    fc.assert(
      fc.property(lease, share, share, (leaseMs, one, other) => {
        const draws = [one, other]
        const schedule = new Schedule(rhythmOfLease(leaseMs), () => draws.shift()!, 0)
        schedule.done(0)
        schedule.done(schedule.dueMs)
        expect(schedule.dueMs).to.be.lessThan(leaseMs)
      }),
    )
  })

  it('never waits less than a third of a lease, nor longer than a timer can be', () => {
    fc.assert(
      fc.property(lease, share, (leaseMs, draw) => {
        const schedule = new Schedule(rhythmOfLease(leaseMs), () => draw, 0)
        schedule.done(0)
        expect(schedule.dueMs)
          .to.be.at.least(Math.min(leaseMs / 3, 2 ** 30))
          .and.below(2 ** 31)
      }),
    )
  })

  it('draws each pause anew: two hours of it are not on any minute', () => {
    const schedule = new Schedule(rhythmOfPeriod(60_000), Math.random, 0)
    const seconds = new Set<number>()
    while (schedule.dueMs < 7_200_000) {
      schedule.done(schedule.dueMs)
      seconds.add(Math.floor(schedule.dueMs / 1000) % 60)
    }
    expect(seconds.size).to.be.greaterThan(20)
  })

  it('with a period of its own knocks at least so often', () => {
    for (const draw of [0, 0.5, 0.999]) {
      const schedule = new Schedule(rhythmOfPeriod(60_000), () => draw, 0)
      schedule.done(0)
      expect(schedule.dueMs).to.be.within(48_000, 60_000)
    }
  })

  it('tries again soon after a failure, then less and less often, to once a minute', () => {
    const schedule = new Schedule(rhythmOfLease(30_000), () => 0.5, 0)
    const pauses: number[] = []
    for (let i = 0; i < 9; i++) {
      const before = schedule.dueMs
      schedule.failed(before)
      pauses.push(schedule.dueMs - before)
    }
    expect(pauses).to.deep.equal([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
    schedule.done(0)
    schedule.failed(0)
    expect(schedule.dueMs, 'after a success from the beginning').to.equal(1000)
  })

  it('is due at once where the machine moved, and soon once more, for a new network loses datagrams', () => {
    const schedule = new Schedule(rhythmOfLease(600_000), () => 0.5, 0)
    schedule.done(0)
    schedule.disturbed(5000)
    expect(schedule.dueMs).to.equal(5000)
    schedule.done(5000)
    expect(schedule.dueMs).to.equal(8000)
    schedule.done(8000)
    expect(schedule.dueMs).to.equal(8000 + 240_000)
  })

  it('does not wait longer for that second knock than it would have anyway', () => {
    const schedule = new Schedule(rhythmOfLease(2000), () => 0.5, 0)
    schedule.disturbed(0)
    schedule.done(0)
    expect(schedule.dueMs).to.equal(800)
  })
})
