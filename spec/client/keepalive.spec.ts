import { expect } from 'chai'
import { type Attempt, type Charge, Keepalive, LOOK_MS, type News } from '../../lib/client/keepalive.js'
import { rhythmOfLease } from '../../lib/client/keepalive-schedule.js'

const DONE: Attempt = { kind: 'done', warnings: [] }
const LEASE_MS = 30_000

/** A world whose clock goes when it is told to. Chance is always in the middle: a lease is renewed after 0.4 of it. */
class World {
  ms = 0
  sleptMs = 0
  network = 'home'
  timers = 0
  readonly news: News[] = []
  readonly keeper: Keepalive
  #timer: { atMs: number; act: () => void } | undefined

  constructor() {
    const outside = {
      monoMs: () => this.ms,
      wallMs: () => 1_700_000_000_000 + this.ms + this.sleptMs,
      random: () => 0.5,
      timer: (ms: number, act: () => void) => {
        const timer = { atMs: this.ms + ms, act }
        this.#timer = timer
        return () => {
          if (this.#timer === timer) this.#timer = undefined
        }
      },
      network: () => this.network,
    }
    this.keeper = new Keepalive(outside, (news) => this.news.push(news))
  }

  /** Lets so much time pass, and all that is to be done in it be done. */
  async pass(ms: number): Promise<void> {
    const endMs = this.ms + ms
    for (;;) {
      await new Promise(setImmediate)
      if (this.#timer === undefined || this.#timer.atMs > endMs) break
      const { atMs, act } = this.#timer
      this.#timer = undefined
      this.ms = Math.max(this.ms, atMs)
      this.timers++
      act()
    }
    this.ms = endMs
  }

  get said(): string[] {
    return this.news.map(({ kind }) => kind)
  }
}

/** A charge that remembers when it was knocked for, and answers as it is told. */
function chargeIn(world: World, key = 'gate', answer: () => Attempt | Promise<Attempt> = () => DONE) {
  const at: number[] = []
  const news: boolean[] = []
  const charge: Charge & { routeText: string } = {
    key,
    rhythm: rhythmOfLease(LEASE_MS),
    routeText: '198.18.1.2',
    attempt: async (isNew) => {
      at.push(world.ms)
      news.push(isNew)
      return answer()
    },
    route: async () => charge.routeText,
  }
  return { charge, at, news }
}

describe('a keepalive', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  it('knocks at once, and again before each lease ends', async () => {
    const { charge, at } = chargeIn(world)
    world.keeper.keep([charge])
    await world.pass(60_000)
    expect(at).to.deep.equal([0, 12_000, 24_000, 36_000, 48_000, 60_000])
    expect(world.said).to.deep.equal([])
  })

  it('at rest does nothing but look, every two seconds', async () => {
    const { charge } = chargeIn(world)
    world.keeper.keep([charge])
    await world.pass(3_600_000)
    expect(world.timers).to.be.at.most(3_600_000 / LOOK_MS + 3_600_000 / 12_000 + 1)
  })

  it('keeps many hosts with one timer', async () => {
    const all = Array.from({ length: 200 }, (_, i) => chargeIn(world, `gate ${i}`))
    world.keeper.keep(all.map(({ charge }) => charge))
    await world.pass(12_500)
    for (const { at } of all) expect(at).to.deep.equal([0, 12_000])
  })

  for (const [what, now] of [
    ['the network changes', { network: 'café' }],
    ['the machine wakes up', { sleptMs: 3_600_000 }],
    ['the clock is set back', { sleptMs: -90_000 }],
  ] as const) {
    it(`knocks at once where ${what}, says so once, and knocks once more soon after`, async () => {
      const { charge, at, news } = chargeIn(world)
      world.keeper.keep([charge])
      await world.pass(5000)
      Object.assign(world, now)
      await world.pass(10_000)
      expect(at).to.deep.equal([0, 6000, 9000])
      expect(news).to.deep.equal([true, true, false])
      expect(world.said).to.deep.equal(['moved'])
    })
  }

  it('knocks at once where only the route to the host is another one', async () => {
    const { charge, at } = chargeIn(world)
    world.keeper.keep([charge])
    await world.pass(5000)
    charge.routeText = '10.8.0.2'
    await world.pass(2000)
    expect(at).to.deep.equal([0, 6000])
  })

  it('tells a failure once, tries less and less often, and tells when it is mended', async () => {
    let answer: Attempt = { kind: 'failed', why: 'no answer' }
    const { charge, at } = chargeIn(world, 'gate', () => answer)
    world.keeper.keep([charge])
    await world.pass(16_000)
    expect(at).to.deep.equal([0, 1000, 3000, 7000, 15_000])
    expect(world.said).to.deep.equal(['failed'])
    answer = DONE
    await world.pass(20_000)
    expect(world.said).to.deep.equal(['failed', 'mended'])
    expect(world.news[1]).to.include({ afterMs: 31_000 })
  })

  it('says once for all hosts that there is no network, and knocks at all when it is back', async () => {
    let answer: Attempt = { kind: 'failed', why: 'gate: no address found' }
    world.network = ''
    const all = ['a', 'b', 'c'].map((key) => chargeIn(world, key, () => answer))
    world.keeper.keep(all.map(({ charge }) => charge))
    await world.pass(600_000)
    expect(world.said).to.deep.equal(['offline'])
    for (const { at } of all) expect(at.length).to.be.within(10, 20)
    answer = DONE
    world.network = 'home'
    const knocks = all.map(({ at }) => at.length)
    await world.pass(2000)
    expect(all.map(({ at }, i) => at.length - knocks[i]!)).to.deep.equal([1, 1, 1])
    expect(world.said).to.deep.equal(['offline', 'moved'])
  })

  it('does not knock where the network goes away, but where it comes back', async () => {
    const { charge, at } = chargeIn(world)
    world.keeper.keep([charge])
    await world.pass(1000)
    world.network = ''
    await world.pass(3000)
    expect(at).to.deep.equal([0])
    world.network = 'home'
    await world.pass(2000)
    expect(at).to.deep.equal([0, 6000])
  })

  it('tells each warning once, whatever time is in it', async () => {
    const { charge } = chargeIn(world, 'gate', () => ({ kind: 'done', warnings: [`the clock says ${world.ms}`] }))
    world.keeper.keep([charge])
    await world.pass(120_000)
    expect(world.said).to.deep.equal(['warning'])
  })

  it('does not wait for a knock that hangs where the machine moved meanwhile, and believes the newer one', async () => {
    const ends: ((attempt: Attempt) => void)[] = []
    const hanging = () => new Promise<Attempt>((resolve) => ends.push(resolve))
    const { charge, at } = chargeIn(world, 'gate', hanging)
    world.keeper.keep([charge])
    await world.pass(20_000)
    expect(at, 'a knock that hangs is not doubled').to.deep.equal([0])
    world.network = 'café'
    await world.pass(2000)
    expect(at).to.deep.equal([0, 22_000])
    ends[1]!(DONE)
    ends[0]!({ kind: 'failed', why: 'the old network' })
    await world.pass(2000)
    expect(world.said).to.deep.equal(['moved'])
    await world.pass(1000)
    expect(at).to.deep.equal([0, 22_000, 25_000])
  })

  it('goes on with what it kept where the file is read again, begins what is new and leaves what is gone', async () => {
    const [stays, goes, comes] = ['stays', 'goes', 'comes'].map((key) => chargeIn(world, key))
    world.keeper.keep([stays!.charge, goes!.charge])
    await world.pass(5000)
    world.keeper.keep([{ ...stays!.charge }, comes!.charge])
    await world.pass(10_000)
    expect(stays!.at).to.deep.equal([0, 12_000])
    expect(goes!.at).to.deep.equal([0])
    expect(comes!.at).to.deep.equal([5000])
  })

  it('begins anew where a lease has another length now', async () => {
    const { charge, at } = chargeIn(world)
    world.keeper.keep([charge])
    await world.pass(5000)
    world.keeper.keep([{ ...charge, rhythm: rhythmOfLease(10_000) }])
    await world.pass(4000)
    expect(at).to.deep.equal([0, 5000, 9000])
  })

  it('does nothing more once it is stopped, whatever comes back late', async () => {
    const ends: ((attempt: Attempt) => void)[] = []
    const { charge, at } = chargeIn(world, 'gate', () => new Promise((resolve) => ends.push(resolve)))
    world.keeper.keep([charge])
    await world.pass(1000)
    world.keeper.stop()
    ends[0]!({ kind: 'failed', why: 'late' })
    await world.pass(100_000)
    expect(at).to.deep.equal([0])
    expect(world.said).to.deep.equal([])
  })

  it('begins many hosts a few at a time, whether or not the others answer', async () => {
    const hosts = Array.from({ length: 100 }, (_, i) =>
      chargeIn(world, `gate${i}`, () => (i % 2 === 0 ? new Promise<Attempt>(() => {}) : DONE)),
    )
    world.keeper.keep(hosts.map(({ charge }) => charge))
    expect(hosts.filter(({ at }) => at.length > 0)).to.have.length(4)
    await world.pass(300)
    expect(hosts.map(({ at }) => at.length)).to.deep.equal(hosts.map(() => 1))
  })
})
