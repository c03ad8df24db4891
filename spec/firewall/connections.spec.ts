/**
 * Connections and the leases that let them in, in guard mode.
 *
 *     client 198.18.1.2 ── 198.18.0.1 server
 */
import { expect } from 'chai'
import type { Child } from '../support/child.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { OTHER_USER, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const CUT = 0x17
const ONCE = 0x18
const DATAGRAMS = 0x19
const THRICE = 0x1a
const STREAM = 0x1b
const CUT_STREAM = 0x1c

const config = serverConfig({
  resources: [
    { id: SSH },
    { id: CUT, ports: [23], cut: true },
    { id: ONCE, ports: [24], connections: 1 },
    { id: THRICE, ports: [25, 26], connections: 3 },
    { id: DATAGRAMS, ports: [5353], protocols: ['udp'] },
    { id: STREAM, ports: [7001] },
    { id: CUT_STREAM, ports: [7002], cut: true },
  ],
})

describe('connections', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 23, 24, 25]) await lab.server.echo(port)
    host = await managerIn(lab)
    const server = lab.server.spawn(['python3', '-uc', STREAM_FOR_EVER])
    await server.waitLine(/^ready$/)
  })
  beforeEach(async () => {
    await host.make(config)
    await host.manager.start({ keep: false })
  })
  afterEach(() => host.manager.remove())
  after(() => lab.close())

  const open = async (resource: number, address: string, lifetimeMs = 0) =>
    (await host.manager.perform([{ operation: 'open', user: USER, resource, address, lifetimeMs }]))[0]!
  const revoke = (resource: number, address: string) =>
    host.manager.perform([{ operation: 'revoke', user: USER, resource, address, lifetimeMs: 0 }])
  /** A client that hears a server which never stops talking; its lines are what it has heard. */
  const listener = async (port: number): Promise<Child> => {
    const child = lab.client.spawn(['python3', '-uc', HEAR_FOR_EVER, lab.server.v4, String(port)])
    await child.waitLine(/^heard/)
    return child
  }
  /** Whether something more is heard: what is on its way has half a second to arrive, then there must be silence. */
  const goesOn = async (child: Child) => {
    const before = child.lines.length
    try {
      await poll('more', () => child.lines.length > before + 20, { within: 700 })
      return true
    } catch {
      return false
    }
  }

  it('shuts with a revocation; a connection that was let in goes on', async () => {
    await open(SSH, lab.client.v4)
    const held = await lab.client.hold(lab.server.v4, 22)
    const revoke = {
      operation: 'revoke',
      user: OTHER_USER,
      resource: SSH,
      address: lab.client.v4,
      lifetimeMs: 0,
    } as const
    expect(await host.manager.perform([revoke])).to.deep.equal([{ kind: 'revoked' }])
    expect(await host.manager.perform([revoke])).to.deep.equal([{ kind: 'absent' }])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    expect(await held.talk()).to.equal('answered')
  })

  it('cut: the connection ends with the lease', async () => {
    await open(CUT, lab.client.v4)
    const held = await lab.client.hold(lab.server.v4, 23)
    expect(await held.talk()).to.equal('answered')
    await host.manager.perform([
      { operation: 'revoke', user: USER, resource: CUT, address: lab.client.v4, lifetimeMs: 0 },
    ])
    expect(await held.talk()).to.not.equal('answered')
  })

  it('connections: 1: the first connection uses the lease up; a further knock lets in one more', async () => {
    await open(ONCE, lab.client.v4)
    const first = await lab.client.hold(lab.server.v4, 24)
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('refused')
    expect(await first.talk()).to.equal('answered')
    expect(await host.manager.leases()).to.deep.equal([])
    expect((await open(ONCE, lab.client.v4)).kind).to.equal('opened')
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('open')
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('refused')
    expect(await first.talk()).to.equal('answered')
  })

  it('connections: 3: three, and a knock renews the count', async () => {
    await open(THRICE, lab.client.v6)
    const outcomes: string[] = []
    for (let i = 0; i < 5; i++) outcomes.push(await lab.client.connect(lab.server.v6, 25))
    expect(outcomes).to.deep.equal(['open', 'open', 'open', 'refused', 'refused'])
    expect((await open(THRICE, lab.client.v6)).kind).to.equal('prolonged')
    expect(await lab.client.connect(lab.server.v6, 25)).to.equal('open')
  })

  it('connections: 1: a SYN that has to be sent again is the same connection', async () => {
    await lab.server.must(['nft', 'add table inet lose; add chain inet lose o { type filter hook output priority 0; }'])
    // The first SYN arrives, its SYN-ACK is lost; a second later the client sends the SYN again.
    await lab.server.must([
      'nft',
      'add set inet lose once { type inet_service; flags dynamic, timeout; timeout 1m; }; add rule inet lose o tcp sport 24 tcp flags & (syn|ack) == (syn|ack) add @once { tcp sport limit rate 1/day burst 1 packets } drop',
    ])
    await open(ONCE, lab.client.v4)
    const capture = await lab.server.capture()
    expect(await lab.client.connect(lab.server.v4, 24, 4000)).to.equal('open')
    const syns = (await capture.packets()).filter((p) => !p.outgoing && p.kind === 'tcp' && p.destinationPort === 24)
    expect(syns.length).to.be.greaterThan(2)
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('refused')
    await lab.server.must(['nft', 'delete table inet lose'])
  })

  it('outlive the lease, but not the memory of it: a server that goes on sending revives nothing', async () => {
    for (const [resource, port] of [
      [STREAM, 7001],
      [CUT_STREAM, 7002],
    ] as const) {
      await open(resource, lab.client.v4)
      const child = await listener(port)
      await revoke(resource, lab.client.v4)
      expect(await goesOn(child)).to.equal(resource === STREAM)
      await lab.server.must(['conntrack', '-F'])
      expect(await goesOn(child)).to.equal(false)
      await child.kill9()
    }
  })

  it('a connection that a helper (FTP …) expects has the mark of the first, and needs a lease of its own all the same', async () => {
    const { client, server } = lab
    // What a helper does with ports that it reads in a marked connection, here one that the server opens from a guarded port.
    await server.must(['nft', '-f', '-'], {
      input: `table ip helper {
  ct expectation ssh { protocol tcp; dport 22; timeout 1m; size 8; l3proto ip; }
  chain out { type filter hook output priority 0; tcp sport 26 ct state new ct expectation set "ssh"; }
}
`,
    })
    await client.echo(4000)
    const first = server.spawn(['python3', '-uc', CONNECT_FROM_26, client.v4])
    await first.waitLine(/^connected$/)
    expect(await server.must(['conntrack', '-L', 'expect'])).to.match(/src=198\.18\.1\.2 .*dport=22 /)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await open(SSH, client.v4)
    expect(await client.connect(server.v4, 22)).to.equal('open')
    await first.kill9()
    await server.must(['nft', 'delete table ip helper'])
  })

  it('of UDP go on as well, as long as they are remembered', async () => {
    const { client, server } = lab
    await server.listen(5353)
    await open(DATAGRAMS, client.v4)
    await client.send(server.v4, 5353, [Buffer.from('first')], 40_000)
    await poll('the first', async () => (await server.heard(5353)).length === 1)
    await revoke(DATAGRAMS, client.v4)
    await client.send(server.v4, 5353, [Buffer.from('same flow')], 40_000)
    await poll('the same flow', async () => (await server.heard(5353)).length === 2)
    await client.send(server.v4, 5353, [Buffer.from('another')], 40_001)
    await client.send(server.v4, 5353, [Buffer.from('last')], 40_000)
    await poll('the last', async () => (await server.heard(5353)).length === 3)
    expect((await server.heard(5353)).map(({ base64 }) => Buffer.from(base64, 'base64').toString())).to.deep.equal([
      'first',
      'same flow',
      'last',
    ])
  })
})

const STREAM_FOR_EVER = `
import select, socket, time
doors = []
for port in (7001, 7002):
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("0.0.0.0", port)); door.listen()
    doors.append(door)
print("ready")
talks = []
while True:
    for door in select.select(doors, [], [], 0.005)[0]:
        talk, _ = door.accept()
        talk.setblocking(False); talks.append(talk)
    for talk in talks:
        try: talk.send(b"x" * 100)
        except OSError: pass
`
const CONNECT_FROM_26 = `
import socket, sys, time
talk = socket.socket()
talk.bind(("", 26))
talk.settimeout(2)
talk.connect((sys.argv[1], 4000))
print("connected")
time.sleep(60)
`
const HEAR_FOR_EVER = `
import socket, sys
talk = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
talk.settimeout(None)
while talk.recv(100): print("heard")
`
