/**
 * How much of letmein's right-shaped datagrams comes up, and that those who count get through whatever others send.
 *
 *     client ── server: letmein heard on 5800 over UDP, group 5800 ── stranger, with thousands of addresses
 */
import { expect } from 'chai'
import { pause } from '../support/poll.js'
import { USER } from './support-config.js'
import { head, LetmeinLab, message, sources4 } from './support-letmein.js'

/** What a source's limit of one a second and 20 at once lets through of more, in however long that takes on a busy machine. */
const SLOW = { rate: 1 } as const
const BURST = [20, 25] as const

describe('a flood of letmein’s datagrams', () => {
  let room: LetmeinLab
  before(async () => {
    room = await LetmeinLab.open()
  })
  beforeEach(() => room.start())
  afterEach(() => room.host.manager.remove())
  after(() => room.lab.close())

  /** `count` messages of the client's, at a pace that its own limit allows; how many of them came up. */
  const exchanges = (count: number, to = room.lab.server.v4, from = room.lab.client.v4) =>
    room.copiesOf(async () => {
      for (let i = 0; i < count; i++) {
        await room.lab.client.send(to, 5800, [message(head(USER, i % 2 === 0 ? 0 : 2))])
        await pause(100)
      }
    }, from)
  /** While the stranger floods from these addresses, and not before the flood has used up what there was at once. */
  const under = async <T>(flooded: Promise<number>, act: () => Promise<T>): Promise<T> => {
    await pause(300)
    try {
      return await act()
    } finally {
      await flooded
    }
  }

  it('of one source lets up its burst and its rate, and costs no other source anything', async () => {
    await room.start({ letmein: SLOW })
    const { client, server } = room.lab
    for (const [to, source] of [
      [server.v4, '198.18.64.1'],
      [server.v6, 'fd18:64::1'],
    ] as const) {
      expect(await room.copiesOf(() => room.flood([source], { count: 500 }, to))).to.be.within(...BURST)
      expect(await room.copiesOf(() => client.send(to, 5800, [message()]))).to.equal(1)
    }
  })

  it('counts all of an IPv6 /64 as one source', async () => {
    await room.start({ letmein: SLOW })
    const same = ['fd18:64::1', 'fd18:64::2', 'fd18:64:0:0:ffff:ffff:ffff:ffff']
    const { v6 } = room.lab.server
    expect(await room.copiesOf(() => room.flood(same, { count: 300 }, v6))).to.be.within(...BURST)
    expect(await room.copiesOf(() => room.flood(['fd18:64:0:1::1'], { count: 300 }, v6))).to.be.within(...BURST)
  })

  it('of many sources lets up no more than the limit for all, of both families together', async () => {
    await room.start({ letmein: { rateAll: 1, burstAll: 100 } })
    const { v4, v6 } = room.lab.server
    const copies = await room.copiesOf(async () => {
      await room.flood(sources4(64), { count: 640 }, v4)
      await room.flood(['fd18:64::1', 'fd18:64:0:1::1'], { count: 20 }, v6)
    })
    expect(copies).to.be.within(100, 105)
  })

  it('with the limit for all used up, known sources get through, at their own rate, and no strangers', async () => {
    await room.start({ letmein: { ...SLOW, rateAll: 1, burstAll: 100 } })
    const { client, server } = room.lab
    await room.host.manager.noteSource('letmein', client.v4)
    await room.host.manager.noteSource('letmein', 'fd18:1::77')
    await room.flood(sources4(64), { count: 640 })
    expect(await room.copiesOf(() => room.flood(sources4(64), { count: 640 }))).to.be.below(5)
    for (const [to, address] of [
      [server.v4, client.v4],
      [server.v6, client.v6],
    ] as const) {
      const messages = new Array<Buffer>(200).fill(message())
      expect(await room.copiesOf(() => client.send(to, 5800, messages), address)).to.be.within(...BURST)
    }
  })

  it('of a known source has no second helping from what there is for all', async () => {
    await room.start({ letmein: SLOW })
    const { client, server } = room.lab
    for (const [to, address] of [
      [server.v4, client.v4],
      [server.v6, client.v6],
    ] as const) {
      await room.host.manager.noteSource('letmein', address)
      const messages = new Array<Buffer>(200).fill(message())
      expect(await room.copiesOf(() => client.send(to, 5800, messages), address)).to.be.within(...BURST)
    }
  })

  it('that fills the set of sources shuts out new ones, and none that is known', async () => {
    const { client, server } = room.lab
    await room.host.manager.noteSource('letmein', client.v4)
    const set = { family: 1, table: 'postern', set: 'letmein_met4' }
    const elements = Array.from({ length: 65_536 }, (_, i) => ({
      key: Uint8Array.of(10, 0, i >> 8, i & 255),
      timeoutMs: 600_000,
    }))
    for (let i = 0; i < elements.length; i += 4096)
      await room.host.kernel.apply([{ kind: 'add', to: set, elements: elements.slice(i, i + 4096) }])
    expect(await room.copiesOf(() => room.flood(['198.18.70.1'], { count: 1 }))).to.equal(0)
    expect(await room.copiesOf(() => client.send(server.v4, 5800, [message()]))).to.equal(1)
  })

  it('of a known user from 64 sources, as fast as can be: 20 of 20 of the client’s come up, and SPA too', async () => {
    const seconds = 4
    let sent = 0
    const before = room.copies
    const flooded = room.flood(sources4(64), { seconds }).then((count) => {
      sent = count
      return count
    })
    expect(await under(flooded, () => exchanges(20))).to.equal(20)
    await room.drained()
    expect(sent).to.be.above(20_000)
    // Each source its burst and its rate; the client's; marks.
    expect(room.copies - before).to.be.below(64 * (20 + 10 * (seconds + 1)) + 30)
  })

  it('of a known user from 4,096 sources, as fast as can be: 20 of 20 of a known source’s come up', async () => {
    const { client, server } = room.lab
    await room.host.manager.noteSource('letmein', client.v4)
    await room.host.manager.noteSource('letmein', client.v6)
    const seconds = 6
    const before = room.copies
    const flooded = room.flood(sources4(4096), { seconds })
    await under(flooded, async () => {
      expect(await exchanges(20)).to.equal(20)
      expect(await exchanges(20, server.v6, client.v6)).to.equal(20)
    })
    expect(room.copies - before).to.be.below(500 + 2000 * (seconds + 1) + 60)
  })

  it('of an unknown user lets up nothing', async () => {
    const flood = () => room.flood(sources4(64), { count: 50_000, start: head(77) })
    expect(await room.copiesOf(flood)).to.equal(0)
    expect(await exchanges(1)).to.equal(1)
  })
})
