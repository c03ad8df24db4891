/**
 * Guard mode with real packets.
 *
 *     client 198.18.1.2 ── 198.18.0.1 server 198.18.0.1 ── 198.18.2.2 stranger
 *     fd18:1::2               guarded: 22 tcp, 5353 udp …         fd18:2::2
 */
import { expect } from 'chai'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const DATAGRAMS = 0x19

const config = serverConfig({
  resources: [
    { id: SSH, ports: [22, [6000, 6010]] },
    { id: DATAGRAMS, ports: [5353], protocols: ['tcp', 'udp'] },
  ],
})

describe('guard mode', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 80, 5353, 6005, 6011]) await lab.server.echo(port)
    host = await managerIn(lab)
  })
  beforeEach(async () => {
    await host.make(config)
    await host.manager.start({ keep: false })
  })
  afterEach(() => host.manager.remove())
  after(() => lab.close())

  const open = async (resource: number, address: string, lifetimeMs = 0) =>
    (await host.manager.perform([{ operation: 'open', user: USER, resource, address, lifetimeMs }]))[0]!

  it('shuts the protected ports, ranges too, to everybody, and no other', async () => {
    for (const address of [lab.server.v4, lab.server.v6]) {
      for (const port of [22, 5353, 6005]) expect(await lab.client.connect(address, port)).to.equal('refused')
      for (const port of [80, 6011]) expect(await lab.client.connect(address, port)).to.equal('open')
    }
  })

  it('opens for one address alone, and shuts when the kernel ends the lease', async () => {
    expect(await open(SSH, lab.client.v4, 1000)).to.deep.equal({ kind: 'opened', remainingMs: 1000 })
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect(await lab.client.connect(lab.server.v4, 6005)).to.equal('open')
    expect(await lab.client.connect(lab.server.v4, 5353)).to.equal('refused')
    expect(await lab.client.connect(lab.server.v6, 22)).to.equal('refused')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
    await poll('shut again', async () => (await lab.client.connect(lab.server.v4, 22)) === 'refused')
    expect(await host.manager.leases()).to.deep.equal([])
  })

  it('opens over IPv6', async () => {
    await open(SSH, lab.client.v6)
    expect(await lab.client.connect(lab.server.v6, 22)).to.equal('open')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    expect(await lab.stranger.connect(lab.server.v6, 22)).to.equal('refused')
  })

  it('guards UDP, to broadcast and multicast addresses too', async () => {
    const { server, client } = lab
    const ears = server.spawn(['python3', '-uc', LISTEN])
    await ears.waitLine(/^ready$/)
    const words = () => ears.lines.filter((line) => line !== 'ready')
    await server.must(['ip', 'address', 'add', '198.18.5.1/24', 'broadcast', '198.18.5.255', 'dev', 'to-client'])
    await client.must(['ip', 'address', 'add', '198.18.5.2/24', 'broadcast', '198.18.5.255', 'dev', 'to-server'])
    await server.must(['ip', 'address', 'add', 'fe80::1/64', 'dev', 'to-client', 'nodad'])
    await client.must(['ip', 'address', 'add', 'fe80::2/64', 'dev', 'to-server', 'nodad'])
    const say = (word: string) => client.must(['python3', '-c', SAY_EVERYWHERE, word])

    await say('shut')
    await host.manager.remove()
    await say('unguarded')
    const everywhere = ['198.18.5.1', '198.18.5.255', '224.0.0.1', '255.255.255.255', 'fe80::1', 'ff02::1']
    await poll('all ways lead to the socket', () => words().length >= everywhere.length)
    expect(words().sort()).to.deep.equal(everywhere.map((to) => `unguarded ${to}`))

    await host.make(config)
    await host.manager.start({ keep: false })
    await open(DATAGRAMS, client.v4)
    await say('shut')
    await lab.stranger.send(server.v4, 5353, [Buffer.from('stranger')])
    await client.send(server.v4, 5353, [Buffer.from('let in')])
    await poll('the lease lets in', () => words().length > everywhere.length)
    expect(words().slice(everywhere.length)).to.deep.equal(['let in'])
  })

  it('leaves alone what only passes through, and answers what this host opens from a protected port', async () => {
    const { server, client, stranger } = lab
    await server.sysctl({ 'net.ipv4.ip_forward': 1 })
    await client.must(['ip', 'route', 'add', stranger.v4, 'via', server.v4, 'dev', 'to-server', 'onlink'])
    await stranger.must(['ip', 'route', 'add', client.v4, 'via', server.v4, 'dev', 'to-server', 'onlink'])
    await stranger.echo(22)
    expect(await client.connect(stranger.v4, 22)).to.equal('open')
    // From a protected source port of this host's own, and back.
    const dial = (from: number) =>
      server.must([
        'python3',
        '-c',
        `import socket; s = socket.create_connection(("${stranger.v4}", 22), 1, ("", ${from})); s.send(b"x"); assert s.recv(1) == b"x"; s.close()`,
      ])
    await dial(6003)
    await dial(7003)
  })

  it('lets trusted interfaces be, and guards further addresses', async () => {
    const { server, client, stranger } = lab
    await host.manager.remove()
    await host.make(
      serverConfig({ resources: [{ id: SSH }], firewall: { trust: ['to-client'], guardForward: [`${client.v4}/32`] } }),
    )
    await host.manager.start({ keep: false })
    expect(await client.connect(server.v4, 22)).to.equal('open')
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await client.echo(22)
    expect(await stranger.connect(client.v4, 22)).to.not.equal('open')
    await host.manager.perform([{ operation: 'open', resource: SSH, address: stranger.v4, lifetimeMs: 0 }])
    expect(await stranger.connect(client.v4, 22)).to.equal('open')
  })

  it('is silent where the host is, and refuses where the host does', async () => {
    const { server, client } = lab
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await server.must([
      'nft',
      'add table ip f; add chain ip f in { type filter hook input priority 0; policy drop; }; add rule ip f in tcp dport 80 accept',
    ])
    expect(await host.manager.verify()).to.equal('intact')
    expect(await client.connect(server.v4, 22)).to.equal('silent')
    expect(await client.connect(server.v4, 81)).to.equal('silent')
    await server.must(['nft', 'delete table ip f'])
    expect(await host.manager.verify()).to.equal('intact')
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect(await host.manager.verify()).to.equal('intact')
  })

  it('a shut TCP port says as little to a broadcast or anycast address as a closed one does', async () => {
    const { server, stranger } = lab
    await server.sysctl({ 'net.ipv6.conf.all.forwarding': 1 })
    await server.must(['ip', 'address', 'add', '198.18.6.1/24', 'broadcast', '+', 'dev', 'to-stranger'])
    await server.must(['ip', 'address', 'add', 'fd18:6::1/64', 'dev', 'to-stranger', 'nodad'])
    const [broadcast, anycast] = ['198.18.6.255', 'fd18:6::']
    await stranger.must(['ip', 'route', 'add', broadcast, 'via', server.v4, 'dev', 'to-server'])
    await stranger.must(['ip', 'route', 'add', anycast, 'via', server.v6, 'dev', 'to-server'])
    for (const address of [broadcast, anycast])
      for (const port of [81, 22])
        expect(await stranger.connect(address, port), `${address} ${port}`).to.equal('silent')
    await server.must(['ip', 'address', 'delete', '198.18.6.1/24', 'dev', 'to-stranger'])
    await server.must(['ip', 'address', 'delete', 'fd18:6::1/64', 'dev', 'to-stranger'])
  })

  it('a shut UDP port answers as a closed one does', async () => {
    const capture = await lab.server.capture()
    await lab.stranger.send(lab.server.v4, 5353, [Buffer.from('a')])
    await lab.stranger.send(lab.server.v4, 5354, [Buffer.from('a')])
    await lab.stranger.send(lab.server.v6, 5353, [Buffer.from('a')])
    await lab.stranger.send(lab.server.v6, 5354, [Buffer.from('a')])
    const [shut4, closed4, shut6, closed6] = (await capture.sent()).map(String)
    expect([shut4, shut6]).to.deep.equal([closed4, closed6])
    expect(closed6).to.match(/icmp/)
  })
})

const SAY_EVERYWHERE = `
import socket, sys
word = sys.argv[1].encode()
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
four.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"to-server")
four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("198.18.5.2"))
four.bind(("198.18.5.2", 0))
for to in ("198.18.5.1", "198.18.5.255", "255.255.255.255", "224.0.0.1"):
    four.sendto(word + b" " + to.encode(), (to, 5353))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
scope = socket.if_nametoindex("to-server")
for to in ("fe80::1", "ff02::1"):
    six.sendto(word + b" " + to.encode(), (to, 5353, 0, scope))
`

const LISTEN = `
import select, socket
ears = []
for family, everything in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    ear = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6: ear.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    ear.bind((everything, 5353))
    ears.append(ear)
print("ready")
while True:
    for ear in select.select(ears, [], [])[0]: print(ear.recv(999).decode())
`
