import { expect } from 'chai'
import {
  ATTEMPT_MS,
  type AttemptEvents,
  NEXT_ADDRESS_MS,
  Race,
  RESOLUTION_MS,
  type Timers,
} from '../../lib/client/race.js'
import type { Destination } from '../../lib/client/resolve.js'

const SIX: Destination = { address: '2001:db8::1', family: 6 }
const SIX_B: Destination = { address: '2001:db8::2', family: 6 }
const FOUR: Destination = { address: '192.0.2.1', family: 4 }
const FOUR_B: Destination = { address: '192.0.2.2', family: 4 }

interface Attempt extends AttemptEvents<string> {
  readonly to: Destination
  readonly atMs: number
  isGivenUp: boolean
}

/** A clock that only `pass` moves, and a network in which nothing happens by itself. */
class World {
  nowMs = 0
  readonly attempts: Attempt[] = []
  readonly #timers = new Set<{ atMs: number; act: () => void }>()
  readonly timers: Timers = {
    nowMs: () => this.nowMs,
    after: (ms, act) => {
      const timer = { atMs: this.nowMs + ms, act }
      this.#timers.add(timer)
      return () => this.#timers.delete(timer)
    },
  }
  readonly race = new Race<string>((to, events) => {
    const attempt: Attempt = { ...events, to, atMs: this.nowMs, isGivenUp: false }
    this.attempts.push(attempt)
    return () => {
      attempt.isGivenUp = true
    }
  }, this.timers)

  pass(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const next = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.nowMs = next.atMs
      next.act()
    }
    this.nowMs = endMs
  }

  /** When each attempt at this address began. */
  at({ address }: Destination): number[] {
    return this.attempts.filter(({ to }) => to.address === address).map(({ atMs }) => atMs)
  }

  /** Each attempt so far, and from now on each that begins while `ms` pass, fails so. */
  refuseAll(ms: number, code = 'ECONNREFUSED'): void {
    let told = 0
    for (let passed = 0; passed <= ms; passed++) {
      while (told < this.attempts.length) {
        const attempt = this.attempts[told++]!
        if (!attempt.isGivenUp) attempt.failed(code)
      }
      if (passed < ms) this.pass(1)
    }
  }

  get waiting(): number {
    return this.#timers.size
  }
}

describe('a race for the first connection', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  it('tries at once, and again and again at growing intervals, while nothing answers', () => {
    world.race.follow([FOUR])
    world.pass(2100)
    expect(world.at(FOUR)).to.deep.equal([0, 4, 12, 28, 60, 124, 252, 508, 1008, 1508, 2008])
    expect(
      world.attempts.some(({ isGivenUp }) => isGivenUp),
      'an older attempt may still win',
    ).to.equal(false)
  })

  it('tries on when it is refused, at the same times', () => {
    world.race.follow([FOUR])
    world.refuseAll(300)
    expect(world.at(FOUR)).to.deep.equal([0, 4, 12, 28, 60, 124, 252])
  })

  it('gives an attempt up when it is too old, so that there are ever only few', () => {
    world.race.follow([FOUR])
    world.pass(60_000)
    const alive = world.attempts.filter(({ isGivenUp }) => !isGivenUp)
    expect(alive.length).to.be.within(9, 11)
    expect(alive.every(({ atMs }) => atMs >= 60_000 - ATTEMPT_MS)).to.equal(true)
  })

  it('is won by whichever attempt stands first, an old one too, and ends the others', async () => {
    world.race.follow([FOUR])
    world.pass(100)
    world.attempts[1]!.stands('the second SYN')
    expect(await world.race.won).to.deep.equal({ connection: 'the second SYN', to: FOUR })
    expect(world.attempts.map(({ isGivenUp }) => isGivenUp)).to.deep.equal([true, false, true, true, true])
    expect(world.waiting).to.equal(0)
  })

  it('begins with IPv6, and with the next address 250 ms later, the families in turn', () => {
    world.race.follow([FOUR, FOUR_B, SIX, SIX_B])
    world.pass(4 * NEXT_ADDRESS_MS)
    const begun = [SIX, FOUR, SIX_B, FOUR_B].map((to) => world.at(to)[0])
    expect(begun).to.deep.equal([0, NEXT_ADDRESS_MS, 2 * NEXT_ADDRESS_MS, 3 * NEXT_ADDRESS_MS])
  })

  it('goes on trying the earlier addresses beside the later ones', () => {
    world.race.follow([SIX, FOUR])
    world.pass(600)
    expect(world.at(SIX)).to.include(508)
    expect(world.at(FOUR)[0]).to.equal(NEXT_ADDRESS_MS)
  })

  it('begins with IPv4 when the look-up of IPv6 takes longer than 50 ms', () => {
    world.race.expect(6)
    world.race.expect(4)
    world.race.follow([FOUR])
    world.pass(RESOLUTION_MS - 1)
    expect(world.attempts).to.have.length(0)
    world.pass(1)
    expect(world.at(FOUR)).to.deep.equal([RESOLUTION_MS])
    world.race.follow([SIX])
    world.pass(NEXT_ADDRESS_MS)
    expect(world.at(SIX)[0]).to.equal(RESOLUTION_MS + NEXT_ADDRESS_MS)
  })

  it('prefers IPv6 that is found within these 50 ms', () => {
    world.race.expect(6)
    world.race.follow([FOUR])
    world.pass(10)
    world.race.follow([SIX])
    expect(world.at(SIX)).to.deep.equal([10])
    expect(world.at(FOUR)).to.deep.equal([])
  })

  it('does not wait for an IPv6 that there is not, whichever is known first', () => {
    world.race.expect(6)
    world.race.follow([FOUR])
    world.race.expectNone(6)
    expect(world.at(FOUR)).to.deep.equal([0])
    const other = new World()
    other.race.expect(6)
    other.race.expectNone(6)
    other.race.follow([FOUR])
    expect(other.at(FOUR)).to.deep.equal([0])
  })

  it('takes the next address at once where there is no way to the first', () => {
    world.race.follow([SIX, FOUR])
    world.attempts[0]!.failed('ENETUNREACH')
    expect(world.at(FOUR)).to.deep.equal([0])
    expect(world.race.tried).to.deep.equal([{ to: SIX, code: 'ENETUNREACH' }, { to: FOUR }])
  })

  it('takes the next address early where the first still refuses what was sent after its first refusal', () => {
    world.race.follow([SIX, FOUR])
    world.refuseAll(100)
    expect(world.at(FOUR)[0]).to.equal(28)
  })

  it('does not take refusals of what was sent before the knock could be heard for more than they are', () => {
    world.race.follow([SIX, FOUR])
    world.pass(60)
    // All of these left before the first answer came: a round trip of 60 ms.
    for (const attempt of world.attempts.slice()) attempt.failed('ECONNREFUSED')
    world.pass(NEXT_ADDRESS_MS - 61)
    expect(world.at(FOUR)).to.deep.equal([])
    world.pass(1)
    expect(world.at(FOUR)).to.deep.equal([NEXT_ADDRESS_MS])
  })

  it('hands on once for each address, and begins each address once', () => {
    world.race.follow([SIX, SIX, FOUR])
    world.race.follow([FOUR])
    world.refuseAll(400, 'EHOSTUNREACH')
    expect(world.at(FOUR)).to.deep.equal([0, 4, 12, 28, 60, 124, 252])
    expect(world.at(SIX)).to.deep.equal([0, 4, 12, 28, 60, 124, 252])
  })

  it('tries at once, and often, behind each further knock', () => {
    world.race.follow([FOUR])
    world.pass(1020)
    world.race.again()
    world.pass(20)
    expect(world.at(FOUR).filter((atMs) => atMs > 1010)).to.deep.equal([1020, 1024, 1032])
  })

  it('is quiet once it has been stopped', () => {
    world.race.follow([FOUR])
    world.pass(5)
    world.race.stop()
    world.race.follow([SIX])
    world.race.again()
    world.pass(10_000)
    expect(world.attempts).to.have.length(2)
    expect(world.attempts.every(({ isGivenUp }) => isGivenUp)).to.equal(true)
    expect(world.waiting).to.equal(0)
  })
})
