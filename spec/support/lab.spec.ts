import { readlinkSync } from 'node:fs'
import { expect } from 'chai'
import { type Lab, openLab } from './lab.js'

describe('the laboratory', () => {
  let lab: Lab
  before(async () => {
    lab = await openLab()
  })
  after(() => lab.close())

  it('joins client and stranger to the server, over IPv4 and IPv6', async () => {
    await lab.server.echo(7)
    for (const host of [lab.client, lab.stranger]) {
      expect(await host.connect(lab.server.v4, 7)).to.equal('open')
      expect(await host.connect(lab.server.v6, 7)).to.equal('open')
      expect(await host.connect(lab.server.v4, 8)).to.equal('refused')
      expect(await host.connect(lab.server.v6, 8)).to.equal('refused')
    }
  })

  it('tells a port that drops from one that refuses', async () => {
    await lab.server.must([
      'nft',
      'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c tcp dport 9 drop',
    ])
    expect(await lab.client.connect(lab.server.v4, 9)).to.equal('silent')
    expect(await lab.client.connect(lab.server.v4, 10)).to.equal('refused')
  })

  it('holds connections and sees them die', async () => {
    const held = await lab.client.hold(lab.server.v6, 7)
    expect(await held.talk()).to.equal('answered')
    await lab.server.must(['nft', 'add rule inet t c tcp dport 7 drop'])
    expect(await held.talk()).to.equal('silent')
  })

  it('captures every packet, and counts what a host sends', async () => {
    const capture = await lab.server.capture()
    await lab.stranger.send(lab.server.v4, 5800, [Buffer.from('first'), Buffer.from('second')], 4321)
    await lab.stranger.send(lab.server.v6, 5800, [Buffer.from('third')])
    const arrived = (await capture.packets()).filter((packet) => packet.kind === 'udp' && !packet.outgoing)
    expect(arrived.map((packet) => packet.payload.toString())).to.deep.equal(['first', 'second', 'third'])
    expect(arrived[0]).to.include({ source: lab.stranger.v4, sourcePort: 4321, destinationPort: 5800 })
    expect((await capture.sent()).map(String)).to.deep.equal([
      '198.18.0.1 > 198.18.2.2 icmp type 3 code 3 61',
      '198.18.0.1 > 198.18.2.2 icmp type 3 code 3 62',
      'fd18::1 > fd18:2::2 icmp type 1 code 4 101',
    ])
  })

  it('sends floods of a known size', async () => {
    await lab.server.listen(5900)
    await lab.stranger.flood(
      { address: lab.server.v6, port: 5900 },
      { count: 500, bytes: 140, perSecond: 5_000, prefix: Buffer.from('tag') },
    )
    const heard = await lab.server.heard(5900)
    expect(heard).to.have.length(500)
    expect(Buffer.from(heard[499]!.base64, 'base64').subarray(0, 3).toString()).to.equal('tag')
  })

  it('sends a datagram and a SYN right behind it', async () => {
    await lab.server.echo(11)
    const { outcome } = await lab.client.sendAndConnect(
      { address: lab.server.v4, port: 5900 },
      [Buffer.from('knock')],
      11,
    )
    expect(outcome).to.equal('open')
    expect((await lab.server.heard(5900)).at(-1)).to.deep.include({
      address: lab.client.v4,
      base64: Buffer.from('knock').toString('base64'),
    })
  })

  it('runs programs to their end, and programs that go on', async () => {
    expect(await lab.client.run(['sh', '-c', 'cat; echo word >&2; exit 3'], { input: 'in' })).to.deep.equal({
      status: 3,
      stdout: 'in',
      stderr: 'word\n',
    })
    const child = lab.client.spawn(['sh', '-c', 'sleep 99 & echo pid $!; wait'])
    const [, pid] = await child.waitLine(/^pid (\d+)$/)
    expect(child.descendants()).to.deep.equal([Number(pid)])
    expect(await child.kill9()).to.deep.equal({ status: null, signal: 'SIGKILL' })
    process.kill(Number(pid))
  })

  it('refuses to work in the namespace that it was started from', async () => {
    const { POSTERN_OUTSIDE } = process.env
    Object.assign(process.env, { POSTERN_OUTSIDE: readlinkSync('/proc/self/ns/net') })
    try {
      const message = await openLab().then(
        () => 'opened',
        (error: Error) => error.message,
      )
      expect(message).to.match(/never works in the machine’s own network namespace/)
    } finally {
      Object.assign(process.env, { POSTERN_OUTSIDE })
    }
  })

  it('says what a program said that ended too early', async () => {
    const child = lab.client.spawn(['sh', '-c', 'echo no such thing; exit 4'])
    let message = ''
    await child.waitLine(/ready/).catch((error: Error) => {
      message = error.message
    })
    expect(message).to.match(/"status":4.*\n {2}no such thing/)
  })
})
