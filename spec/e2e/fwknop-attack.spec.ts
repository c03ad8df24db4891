/**
 * Who has recorded fwknop's packets, or floods with text that looks like them, opens nothing and locks nobody out.
 *
 *     client: the real fwknop ──▶ server: posternd with an access.conf ◀── stranger: recordings, 20,000 a second
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { accessFile, FWKNOP_PORT } from '../support/fwknop-peer.js'
import { beginFwknop, type FwknopStory, nextSecond } from '../support/fwknop-story.js'
import type { Namespace } from '../support/namespace.js'
import { pause, poll } from '../support/poll.js'
import { becomesOpen, datagramsOf } from '../support/story.js'

const FLOOD = fileURLToPath(new URL('../../scripts/figures/flood.pl', import.meta.url))
const BARE = ['SOURCE ANY', 'KEY a bare key', 'OPEN_PORTS tcp/22', 'FW_ACCESS_TIMEOUT 60', ''].join('\n')
const KNOCKS = 20

/** The packet that the client sends while `knock` runs, and its lease is taken back. */
async function record(story: FwknopStory, ask: Parameters<FwknopStory['knock']>[1]): Promise<Buffer> {
  const { client, server, postern, daemon } = story
  const since = daemon.lines.length
  const capture = await server.capture()
  await story.knock(client, ask)
  await becomesOpen(client, server.v4)
  const [packet] = datagramsOf(await capture.packets())
  capture.stop()
  const { status, stderr } = await postern.posternd('revoke', ...postern.at, 'F0000016', client.v4)
  expect(status, stderr).to.equal(0)
  await daemon.waitLine(/revoked: /, undefined, since)
  return packet!
}

describe('a recorded packet of fwknop’s', () => {
  let story: FwknopStory
  let recorded: Buffer
  let bare: Buffer
  before(async () => {
    const access = `${accessFile('tcp/22', { timeoutSeconds: 60 })}${BARE}`
    story = await beginFwknop({ access, fwknop: ['without-hmac = accept'] })
    recorded = await record(story, { ports: 'tcp/22', allow: 'source' })
    bare = await record(story, {
      ports: 'tcp/22',
      allow: 'source',
      hmac: false,
      more: ['--key-rijndael', 'a bare key'],
    })
  })
  after(() => story.close())

  /** Plays it from there, and waits until the daemon has said that it judged it. */
  async function isRefused(from: Namespace, packet: Buffer, over: 'v4' | 'v6' = 'v4'): Promise<void> {
    const { server, daemon } = story
    const since = daemon.lines.length
    // Again where a listener that is being killed took it along.
    for (let triesLeft = 5; ; triesLeft--) {
      await from.send(server[over], FWKNOP_PORT, [packet])
      try {
        await daemon.waitLine(new RegExp(`refused a knock from ${from[over]} `), 6_000, since)
        break
      } catch (error) {
        if (triesLeft === 0) throw error
      }
    }
    expect(await from.connect(server[over], 22)).to.equal('refused')
  }
  const bothAreRefused = async (from: Namespace, over: 'v4' | 'v6' = 'v4') => {
    await isRefused(from, recorded, over)
    await isRefused(from, bare, over)
  }

  it('opens nothing from its own address or another, over IPv4 or IPv6', async () => {
    for (const from of [story.client, story.stranger])
      for (const over of ['v4', 'v6'] as const) await bothAreRefused(from, over)
  })

  it('opens nothing in another spelling, whether it has an HMAC or not', async () => {
    const { client, stranger, server } = story
    const at = (packet: Buffer, place: number) => {
      const bytes = Buffer.from(packet)
      bytes[place] = bytes[place] === 0x41 ? 0x42 : 0x41
      return bytes
    }
    const variants = [recorded, bare].flatMap((packet) => [
      ...['=', '==', '=A', 'A', '\n', '\0', ' '].map((more) => Buffer.concat([packet, Buffer.from(more)])),
      ...[1, 2, 4, 16].map((fewer) => packet.subarray(0, -fewer)),
      ...[1, 12, packet.length >> 1, packet.length - 44, packet.length - 1].map((place) => at(packet, place)),
      Buffer.concat([packet, packet]),
      Buffer.concat([Buffer.from('U2FsdGVkX1'), packet]),
    ])
    for (const from of [client, stranger])
      for (let i = 0; i < variants.length; i += 10) {
        // As many as the kernel lets up at once.
        await from.send(server.v4, FWKNOP_PORT, variants.slice(i, i + 10))
        await pause(400)
      }
    await bothAreRefused(stranger)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect((await story.postern.status()).leases).to.deep.equal([])
  })

  it('opens nothing after the listener, the monitor, or both were killed', async () => {
    const [monitor, listener] = story.daemon.descendants()
    process.kill(listener!, 'SIGKILL')
    await bothAreRefused(story.stranger)
    const since = story.daemon.lines.length
    process.kill(monitor!, 'SIGKILL')
    await story.postern.hears(story.daemon, since)
    await bothAreRefused(story.stranger)
    await story.daemon.kill9()
    story.daemon = await story.postern.start()
    await bothAreRefused(story.stranger)
  })

  it('leaves the way free for a new one', async () => {
    await nextSecond()
    await record(story, { ports: 'tcp/22' })
  })

  it('opens nothing where the journal is lost, as after a reboot, with a time ahead of the clock neither', async () => {
    const { lab } = story.postern
    const ahead = await record(story, { ports: 'tcp/22', allow: 'source', more: ['--time-offset-plus', '110s'] })
    await story.daemon.kill9()
    rmSync(join(lab.folder, 'run', 'listener'), { recursive: true, force: true })
    story.daemon = await story.postern.start()
    await bothAreRefused(story.stranger)
    await isRefused(story.stranger, ahead)
    await isRefused(story.client, ahead)
    expect((await story.postern.status()).leases).to.deep.equal([])
  })
})

const ONE = ['of one source', 1] as const
const SOME = ['of 64 sources', 64] as const
const MANY = ['of 4,096 sources, to one who got in before,', 4096] as const

for (const [mode, floods] of [
  ['guard', [ONE, SOME, MANY]],
  ['chain', [SOME]],
] as const)
  describe(`a flood of what looks like fwknop’s packets, 20,000 a second, in ${mode} mode,`, () => {
    let story: FwknopStory
    before(async () => {
      story = await beginFwknop({
        chain: mode === 'chain',
        access: accessFile('tcp/22', { timeoutSeconds: 60 }),
        resources: ['00000001 = port: 23 / timeout: 60'],
        services: [22, 23],
      })
      const { server, stranger } = story
      await server.must(['ip', 'route', 'add', '198.18.64.0/18', 'via', stranger.v4, 'dev', 'to-stranger'])
      await stranger.must(['ip', 'route', 'add', 'local', '198.18.64.0/18', 'dev', 'lo'])
    })
    after(() => story.close())

    const sources = (count: number) => Array.from({ length: count }, (_, i) => `198.18.${64 + (i >> 8)}.${i & 255}`)

    /** How many knocks of each kind opened while datagrams came from so many sources, of KNOCKS that were sent. */
    async function openedAmid(count: number): Promise<{ fwknop: number; postern: number }> {
      const { client, server, stranger, postern, daemon } = story
      await record(story, { ports: 'tcp/22' })
      const since = daemon.lines.length
      const arrived = await arrivedFrom(server, 'to-stranger')
      const flood = [FLOOD, server.v4, FWKNOP_PORT, 20_000, 110, '204b', '38', ...sources(count)].map(String)
      const flooding = stranger.spawn(['perl', ...flood])
      await poll('the flood comes in', async () => (await arrivedFrom(server, 'to-stranger')) > arrived + 1_000)
      for (let i = 0; i < KNOCKS; i++) {
        await story.knock(client, { ports: 'tcp/22' })
        await postern.knock(client, server.v4, '23')
        await pause(50)
      }
      // Whoever got in renews his lease with each further knock: a line each.
      const opened = (who: string) =>
        daemon.lines.slice(since).filter((line) => /: open .*, (.*)$/.exec(line)?.[1] === who).length
      const both = () => ({ fwknop: opened('access.conf:1'), postern: opened('user 0000000A') })
      const all = () => Object.values(both()).every((times) => times >= KNOCKS)
      await poll('all have opened', all).catch(() => {})
      expect(flooding.running, 'the flood lasted').to.equal(true)
      await flooding.kill9()
      return both()
    }

    for (const [name, from] of floods)
      it(`${name} costs not one of ${KNOCKS} knocks, of fwknop’s or of postern’s own`, async () => {
        const { server, daemon } = story
        for (let triesLeft = 2; ; triesLeft--) {
          const [since, before] = [daemon.lines.length, await overrunOf(server)]
          const opened = await openedAmid(from)
          const overrun = (await overrunOf(server)) - before
          // On a machine that has no processor left for the listener it does not depend on the rules what is heard.
          if (opened.fwknop + opened.postern < 2 * KNOCKS && overrun > 0 && triesLeft > 0) continue
          const told = `${overrun} did not fit into the listener's buffer\n  ${daemon.lines.slice(since).join('\n  ')}\n`
          expect(opened, told).to.deep.equal({ fwknop: KNOCKS, postern: KNOCKS })
          return
        }
      }).timeout(200_000)
  })

/** How many messages of netfilter's a program of this host did not get, because its buffer was full. */
async function overrunOf(host: Namespace): Promise<number> {
  const NETFILTER = '12'
  const lines = (await host.must(['cat', '/proc/net/netlink'])).split('\n').map((line) => line.trim().split(/ +/))
  // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
  return lines.filter((fields) => fields[1] === NETFILTER).reduce((sum, fields) => sum + Number(fields[8]), 0)
}

/** How many packets have come in by this link. */
async function arrivedFrom(host: Namespace, link: string): Promise<number> {
  const [{ stats64 }] = JSON.parse(await host.must(['ip', '-json', '-stats', 'link', 'show', link])) as [
    { stats64: { rx: { packets: number } } },
  ]
  return stats64.rx.packets
}
