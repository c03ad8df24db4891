/**
 * How much of what has the shape of fwknop's packets comes up, and that nobody else is hurt by it.
 *
 *     client ── server: fwknop heard on 62201, letmein and SPA on 5800, group 5800 ── stranger, with thousands of addresses
 */
import { expect } from 'chai'
import { pause } from '../support/poll.js'
import type { Choices } from './support-config.js'
import { PACKET_BYTES, packet } from './support-fwknop.js'
import { type Burst, head, LetmeinLab, message, sources4 } from './support-letmein.js'

const PORT = 62_201
/** What a source's limit of one a second and 20 at once lets through of more, in however long that takes on a busy machine. */
const SLOW = { rate: 1 } as const
const BURST = [20, 25] as const
const PACKETS = { start: Buffer.from('8'), bytes: `${PACKET_BYTES}b`, port: PORT } as const

describe('a flood of fwknop’s packets', () => {
  let room: LetmeinLab
  before(async () => {
    room = await LetmeinLab.open()
  })
  beforeEach(() => start({}))
  afterEach(() => room.host.manager.remove())
  after(() => room.lab.close())

  const start = (fwknop: NonNullable<Choices['fwknop']>) => room.start({ fwknop })
  const flood = (sources: readonly string[], burst: Burst, to?: string) =>
    room.flood(sources, { ...PACKETS, ...burst }, to)
  const copiesOf = (act: () => Promise<unknown>, from?: string) => room.copiesOf(act, from, PACKET_BYTES)
  /** `count` of the client's, at a pace that its own limit allows; how many of them came up. */
  const knocks = (count: number, make: () => Buffer = packet, port = PORT, bytes = PACKET_BYTES) =>
    room.copiesOf(
      async () => {
        for (let i = 0; i < count; i++) {
          await room.lab.client.send(room.lab.server.v4, port, [make()])
          await pause(100)
        }
      },
      room.lab.client.v4,
      bytes,
    )

  it('of one source lets up its burst and its rate, and costs no other source anything', async () => {
    await start(SLOW)
    const { client, server } = room.lab
    for (const [to, source] of [
      [server.v4, '198.18.64.1'],
      [server.v6, 'fd18:64::1'],
    ] as const) {
      expect(await copiesOf(() => flood([source], { count: 500 }, to))).to.be.within(...BURST)
      expect(await copiesOf(() => client.send(to, PORT, [packet()]))).to.equal(1)
    }
  })

  it('counts all of an IPv6 /64 as one source', async () => {
    await start(SLOW)
    const same = ['fd18:64::1', 'fd18:64::2', 'fd18:64:0:0:ffff:ffff:ffff:ffff']
    expect(await copiesOf(() => flood(same, { count: 300 }, room.lab.server.v6))).to.be.within(...BURST)
  })

  it('of many sources lets up no more than the limit for all, of both families together', async () => {
    await start({ rateAll: 1, burstAll: 100 })
    const { v4, v6 } = room.lab.server
    const copies = await copiesOf(async () => {
      await flood(sources4(64), { count: 640 }, v4)
      await flood(['fd18:64::1', 'fd18:64:0:1::1'], { count: 20 }, v6)
    })
    expect(copies).to.be.within(100, 105)
  })

  it('with the limit for all used up, known sources get through, at their own rate, and no strangers', async () => {
    await start({ ...SLOW, rateAll: 1, burstAll: 100 })
    const { client, server } = room.lab
    await room.host.manager.noteSource('fwknop', client.v4)
    await room.host.manager.noteSource('fwknop', 'fd18:1::77')
    await flood(sources4(64), { count: 640 })
    expect(await copiesOf(() => flood(sources4(64), { count: 640 }))).to.be.below(5)
    for (const [to, address] of [
      [server.v4, client.v4],
      [server.v6, client.v6],
    ] as const) {
      const packets = Array.from({ length: 200 }, () => packet())
      expect(await copiesOf(() => client.send(to, PORT, packets), address)).to.be.within(...BURST)
    }
  })

  it('takes nothing from letmein, and letmein’s nothing from it', async () => {
    await start({ rateAll: 1, burstAll: 1 })
    await flood(sources4(64), { count: 640 })
    expect(await knocks(1)).to.equal(0)
    expect(await knocks(3, message, 5800, 56)).to.equal(3)
    await room.start({ fwknop: {}, letmein: { rateAll: 1, burstAll: 1 } })
    await room.flood(sources4(64), { count: 640, start: head() })
    expect(await knocks(1, message, 5800, 56)).to.equal(0)
    expect(await knocks(3)).to.equal(3)
  })

  it('that fills the set of sources shuts out new ones, and none that is known', async () => {
    const { client, server } = room.lab
    await room.host.manager.noteSource('fwknop', client.v4)
    const set = { family: 1, table: 'postern', set: 'fwknop_met4' }
    const elements = Array.from({ length: 65_536 }, (_, i) => ({
      key: Uint8Array.of(10, 0, i >> 8, i & 255),
      timeoutMs: 600_000,
    }))
    for (let i = 0; i < elements.length; i += 4096)
      await room.host.kernel.apply([{ kind: 'add', to: set, elements: elements.slice(i, i + 4096) }])
    expect(await copiesOf(() => flood(['198.18.70.1'], { count: 1 }))).to.equal(0)
    expect(await copiesOf(() => client.send(server.v4, PORT, [packet()]))).to.equal(1)
  })

  for (const [name, perSecond] of [
    ['20,000 a second', 20_000],
    ['as fast as can be', 1_000_000],
  ] as const)
    it(`from 64 sources, ${name}: 20 of 20 of fwknop’s, letmein’s and SPA’s come up`, async () => {
      const seconds = 8
      let sent = 0
      const before = room.copies
      const flooded = flood(sources4(64), { seconds, perSecond }).then((count) => {
        sent = count
      })
      await pause(300)
      expect(await knocks(20)).to.equal(20)
      expect(await knocks(20, message, 5800, 56)).to.equal(20)
      for (let i = 0; i < 20; i++) await room.drained()
      await flooded
      expect(sent).to.be.above(perSecond === 20_000 ? 100_000 : 20_000)
      // Each source its burst and its rate; the client's; marks.
      expect(room.copies - before).to.be.below(64 * (20 + 10 * (seconds + 2)) + 70)
    }).timeout(30_000)

  it('from 4,096 sources, 20,000 a second: 20 of 20 of a known source’s come up', async () => {
    await room.host.manager.noteSource('fwknop', room.lab.client.v4)
    const seconds = 5
    const before = room.copies
    const flooded = flood(sources4(4096), { seconds, perSecond: 20_000 })
    await pause(300)
    expect(await knocks(20)).to.equal(20)
    await flooded
    expect(room.copies - before).to.be.below(500 + 2000 * (seconds + 2) + 60)
  }).timeout(30_000)

  it('of what is no base64 lets up nothing', async () => {
    const copies = await copiesOf(() => flood(sources4(64), { count: 50_000, bytes: `${PACKET_BYTES}` }))
    // One of 16,384 begins so by chance.
    expect(copies).to.be.below(20)
    expect(await knocks(1)).to.equal(1)
  })
})
