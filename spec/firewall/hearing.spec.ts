/**
 * The kernel's own part: which datagrams are copied up, and instant tokens, each of which opens once.
 *
 *     client ── server: heard on 5800, group 5800; instant: 22, records in group 5801 ── stranger
 */
import { expect } from 'chai'
import type { Child } from '../support/child.js'
import { type Lab, openLab } from '../support/lab.js'
import type { Namespace } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const ONCE = 0x18
const TAG = Buffer.from('0011223344556677', 'hex')

describe('hearing and instant tokens', () => {
  let lab: Lab
  let host: ManagerHost
  let heard: Child
  let records: Child
  let tokens = 0
  before(async () => {
    lab = await openLab()
    // Floods use up what the kernel answers in a second; whether it answers is the question here.
    await lab.server.sysctl({ 'net.ipv4.icmp_ratelimit': 0 })
    for (const port of [22, 24]) await lab.server.echo(port)
    host = await managerIn(lab)
    heard = lab.server.spawn(['tcpdump', '-lnvv', '--immediate-mode', '-i', 'nflog:5800'])
    records = lab.server.spawn(['tcpdump', '-lnvv', '--immediate-mode', '-i', 'nflog:5801'])
    await Promise.all([heard, records].map((child) => child.waitLine(/listening on nflog/)))
  })
  after(() => lab.close())

  const start = async (choices: Partial<Choices> = {}) => {
    const resources = [
      { id: SSH, instant: true, timeoutMs: 20_000 },
      { id: ONCE, ports: [24], connections: 1, instant: true },
    ]
    await host.make(serverConfig({ resources, ...choices }))
    await host.manager.start({ keep: false })
    await host.manager.installTags([{ key: TAG, timeoutMs: 60_000 }])
  }
  afterEach(() => host.manager.remove())

  /** tag ‖ token ‖ rest. */
  const datagram = (token: Uint8Array = Buffer.alloc(16), length = 140, tag: Uint8Array = TAG) =>
    Buffer.concat([tag, token, Buffer.alloc(Math.max(0, length - tag.length - 16), 0xee)])
  const newToken = async (resource: number) => {
    const key = Buffer.alloc(16, 0xa0)
    key.writeUInt32BE(++tokens)
    await host.manager.installTokens(resource, [{ key, timeoutMs: 60_000 }])
    return key
  }
  const count = (child: Child) => child.lines.filter((line) => / > .*UDP, length/.test(line)).length
  /** What was copied for these datagrams: a last one that is surely heard tells that the others are through. */
  const copiesOf = async (from: Namespace, to: string, port: number, datagrams: readonly Buffer[]) => {
    await host.manager.removeTags([TAG])
    await host.manager.installTags([{ key: TAG, timeoutMs: 60_000 }])
    const marks = () => heard.lines.filter((line) => /UDP, length 222/.test(line)).length
    const before = { copies: count(heard), marks: marks() }
    await from.send(to, port, datagrams)
    const mark = Buffer.from('ffeeddccbbaa9988', 'hex')
    await host.manager.installTags([{ key: mark, timeoutMs: 60_000 }])
    await from.send(to, 5800, [datagram(Buffer.alloc(16), 222, mark)])
    await poll('the mark', () => marks() > before.marks)
    await host.manager.removeTags([mark])
    return count(heard) - before.copies - 1
  }

  it('copies what carries a known tag, has the right length and goes to a knock port', async () => {
    await start()
    const { client, server } = lab
    for (const to of [server.v4, server.v6]) {
      expect(await copiesOf(client, to, 5800, [datagram()])).to.equal(1)
      expect(await copiesOf(client, to, 5800, [datagram(undefined, 86), datagram(undefined, 256)])).to.equal(2)
      expect(await copiesOf(client, to, 5800, [datagram(undefined, 85), datagram(undefined, 257)])).to.equal(0)
      expect(await copiesOf(client, to, 5800, [datagram(undefined, 140, Buffer.alloc(8))])).to.equal(0)
      expect(await copiesOf(client, to, 5801, [datagram()])).to.equal(0)
    }
  })

  it('does not hear an IPv4-mapped source over IPv6: its instant lease would be read as IPv4’s', async () => {
    const { client, server } = lab
    const link = await server.must(['ip', 'link', 'show', 'to-client'])
    const [, mac] = /ether (\S+)/.exec(link)!
    const from = async (source: string, bytes: Buffer) => {
      await client.must(['python3', '-c', SEND_FROM, mac!, source, server.v6, bytes.toString('hex')])
    }
    for (const ports of [[5800], 'any'] as const) {
      await start({ spa: { ports } })
      const token = await newToken(SSH)
      const before = count(heard)
      await from('::ffff:198.18.1.2', datagram(token))
      await from('::ffff:10.0.0.1', datagram(token))
      await from(client.v6, datagram(token))
      await poll('the last', async () => (await host.manager.leases()).length > 0)
      expect((await host.manager.leases()).map(({ address }) => address)).to.deep.equal([client.v6])
      await poll('its copy', () => count(heard) > before)
      expect(count(heard)).to.equal(before + 1)
    }
  })

  it('any: hears on every port; a list: on each of it', async () => {
    const { client, server } = lab
    await start({ spa: { ports: 'any' } })
    expect(await copiesOf(client, server.v4, 7, [datagram()])).to.equal(1)
    expect(await copiesOf(client, server.v6, 60_123, [datagram()])).to.equal(1)
    await start({ spa: { ports: [5800, 5802] } })
    expect(await copiesOf(client, server.v4, 5802, [datagram()])).to.equal(1)
    expect(await copiesOf(client, server.v4, 5801, [datagram()])).to.equal(0)
  })

  it('a recorded tag lets up no more than its rate, however many are sent', async () => {
    await start({ limits: { tagRate: 1, tagBurst: 4 } })
    const copies = await copiesOf(lab.stranger, lab.server.v4, 5800, new Array<Buffer>(500).fill(datagram()))
    expect(copies).to.be.within(4, 6)
  })

  it('heard or not, a datagram meets what any closed port gives', async () => {
    await start()
    const capture = await lab.server.capture()
    await lab.stranger.send(lab.server.v4, 5800, [datagram()])
    await lab.stranger.send(lab.server.v4, 5800, [Buffer.alloc(140)])
    await lab.stranger.send(lab.server.v4, 5801, [Buffer.alloc(140)])
    const sent = (await capture.sent()).map(String)
    expect(sent).to.have.length(3)
    expect(new Set(sent).size).to.equal(1)
  })

  it('a token opens at once, for its sender, for the resource’s time, once', async () => {
    await start()
    const { client, stranger, server } = lab
    for (const [to, address] of [
      [server.v4, client.v4],
      [server.v6, client.v6],
    ] as const) {
      const before = count(records)
      const token = await newToken(SSH)
      expect(await stranger.connect(to, 22)).to.equal('refused')
      const knock = await client.sendAndConnect({ address: to, port: 5800 }, [datagram(token)], 22)
      expect(knock.outcome).to.equal('open')
      await poll('the record', () => count(records) === before + 1)
      const lease = (await host.manager.leases()).find((one) => one.address === address)!
      expect(lease).to.not.have.property('user')
      expect(lease.remainingMs).to.be.within(1, 20_000)
      // The same datagram again, from elsewhere: nothing.
      await stranger.send(to, 5800, [datagram(token)])
      expect(await stranger.connect(to, 22)).to.equal('refused')
      // Put in again by mistake it is refused as long as its use is remembered.
      await host.manager.installTokens(SSH, [{ key: token, timeoutMs: 60_000 }])
      await stranger.send(to, 5800, [datagram(token)])
      expect(await stranger.connect(to, 22)).to.equal('refused')
      expect(count(records)).to.equal(before + 1)
    }
  })

  it('a token without a known tag, or to another port, opens nothing and is not spent', async () => {
    await start()
    const token = await newToken(SSH)
    await lab.client.send(lab.server.v4, 5800, [datagram(token, 140, Buffer.alloc(8, 1))])
    await lab.client.send(lab.server.v4, 5801, [datagram(token)])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    await lab.client.send(lab.server.v4, 5800, [datagram(token)])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
  })

  it('where a lease runs, a token leaves it as it is, and there is no record', async () => {
    await start()
    const address = lab.client.v4
    await host.manager.perform([{ operation: 'open', user: USER, resource: SSH, address, lifetimeMs: 300_000 }])
    const before = count(records)
    await lab.client.send(lab.server.v4, 5800, [datagram(await newToken(SSH))])
    await lab.stranger.send(lab.server.v4, 5800, [datagram(await newToken(SSH))])
    await poll('the other’s record', () => count(records) === before + 1)
    const lease = (await host.manager.leases()).find((one) => one.address === address)!
    expect(lease.user).to.equal(USER)
    expect(lease.remainingMs).to.be.above(200_000)
  })

  it('connections: 1: each token lets in one', async () => {
    await start()
    for (let i = 0; i < 2; i++) {
      await lab.client.send(lab.server.v4, 5800, [datagram(await newToken(ONCE))])
      expect(await lab.client.connect(lab.server.v4, 24)).to.equal('open')
      expect(await lab.client.connect(lab.server.v4, 24)).to.equal('refused')
    }
  })

  it('a record gives the lease its user, with the time it has left; policy takes it back', async () => {
    await start()
    await lab.client.send(lab.server.v4, 5800, [datagram(await newToken(SSH))])
    const made = await poll('the lease', async () => (await host.manager.leases())[0])
    const outcome = await host.manager.annotate(SSH, lab.client.v4, USER)
    expect(outcome).to.include({ kind: 'opened' })
    const [lease] = await host.manager.leases()
    expect(lease!.user).to.equal(USER)
    expect(lease!.remainingMs).to.be.at.most(made.remainingMs)
    expect((await host.manager.annotate(SSH, lab.client.v4, USER)).kind).to.equal('unchanged')
    expect((await host.manager.annotate(SSH, lab.stranger.v4, USER)).kind).to.equal('absent')

    await lab.stranger.send(lab.server.v4, 5800, [datagram(await newToken(SSH))])
    await poll('the lease', async () => (await host.manager.leases()).length === 2)
    expect(await host.manager.annotate(SSH, lab.stranger.v4, 77)).to.include({ kind: 'refused', why: 'user' })
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
  })

  it('a flood of datagrams with unknown tags is not copied', async () => {
    await start()
    const before = count(heard)
    await lab.stranger.flood({ address: lab.server.v4, port: 5800 }, { count: 20_000, bytes: 140, perSecond: 20_000 })
    expect(await copiesOf(lab.client, lab.server.v4, 5800, [datagram()])).to.equal(1)
    expect(count(heard) - before).to.equal(2)
  })
})

const SEND_FROM = `
import socket, struct, sys
mac, source, to, payload = sys.argv[1], sys.argv[2], sys.argv[3], bytes.fromhex(sys.argv[4])
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("to-server", 0))
addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, to)
udp = struct.pack("!HHHH", 40000, 5800, 8 + len(payload), 0) + payload
words = addresses + struct.pack("!II", len(udp), 17) + udp + b"\\0" * (len(udp) % 2)
total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
while total >> 16: total = (total & 0xffff) + (total >> 16)
udp = udp[:6] + struct.pack("!H", ~total & 0xffff or 0xffff) + udp[8:]
link.send(bytes.fromhex(mac.replace(":", "")) + link.getsockname()[4] + b"\\x86\\xdd" + struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + addresses + udp)
`
