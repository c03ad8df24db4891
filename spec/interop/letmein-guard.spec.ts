/**
 * letmein's clients at posternd that guards by itself, on a host without a firewall, beside postern SPA on the same port.
 *
 *     client: letmein, postern ── server: posternd in guard mode, a service on 22 ── stranger
 */
import { expect } from 'chai'
import { clientFile, KNOCK_PORT } from '../support/installation.js'
import { knockMessage } from '../support/letmein-exchange.js'
import { LetmeinClient, letmeinFile } from '../support/letmein-peer.js'
import { beginLetmein, GUARD, type LetmeinStory, SSH } from '../support/letmein-story.js'
import { pause } from '../support/poll.js'
import { becomesOpen, becomesShut, datagramsOf } from '../support/story.js'

const general = ['control-timeout = 0.5']
const GUARDED = { ruleset: '', more: GUARD, general }

async function beginGuarded(port: string): Promise<LetmeinStory> {
  const story = await beginLetmein({ ...GUARDED, port })
  story.postern.configureClient(clientFile([SSH]))
  return story
}

describe('posternd that guards by itself', () => {
  let story: LetmeinStory
  before(async () => {
    story = await beginGuarded('5800 / tcp,udp')
  })
  after(() => story.close())

  for (const flag of ['-U', '-T'])
    for (const family of ['v4', 'v6'] as const)
      it(`lets a letmein client in and out with ${flag} over IP${family}`, async () => {
        const { client, stranger, server, letmein } = story
        const address = server[family]
        expect(await client.connect(address, 22)).to.equal('refused')
        await letmein.must(client, 'knock', flag, address, '22')
        expect(await client.connect(address, 22)).to.equal('open')
        expect(await stranger.connect(address, 22)).to.equal('refused')
        await letmein.must(client, 'revoke', flag, address, '22')
        expect(await client.connect(address, 22)).to.equal('refused')
      })

  it('answers a stranger’s datagrams of either kind as any other datagram to a shut port', async () => {
    const { stranger, server } = story
    const capture = await server.capture()
    const unknown = knockMessage({ user: 0xdead })
    const [short, long] = [Buffer.alloc(56, 7), Buffer.alloc(120, 7)]
    for (const port of [KNOCK_PORT, 5999]) await stranger.send(server.v4, port, [unknown, short, long])
    const sent = (await capture.sent()).map(String)
    expect(sent).to.have.length(6)
    expect(sent.slice(0, 3)).to.deep.equal(sent.slice(3))
    expect(sent[0]).to.match(/ icmp type 3 code 3 /)
    // The one difference, and only where shut ports are rejected: letmein's client would give up at the ICMP message.
    await stranger.send(server.v4, KNOCK_PORT, [knockMessage({}, new Uint8Array(32))])
    expect(await capture.sent()).to.have.length(6)
  })
})

describe('letmein and postern SPA at one port', () => {
  let story: LetmeinStory
  before(async () => {
    story = await beginGuarded('5800 / udp')
  })
  after(() => story.close())

  /** One in and out by each of the two, at once: letmein over IPv4, SPA over IPv6. */
  async function both(): Promise<void> {
    const { client, server, letmein, postern } = story
    await Promise.all([
      letmein.must(client, 'knock', server.v4, '22'),
      postern.knock(client, server.v6, '22').then(() => becomesOpen(client, server.v6)),
    ])
    expect(await client.connect(server.v4, 22)).to.equal('open')
    const revoked = await postern.postern(client, 'revoke', server.v6, '22')
    expect(revoked.status, revoked.stderr).to.equal(0)
    await letmein.must(client, 'revoke', server.v4, '22')
  }

  it('open for the same user, each by its own way, at once and again and again', async () => {
    for (let i = 0; i < 5; i++) await both()
  })

  it('take the same lease: what one opened the other revokes', async () => {
    const { client, server, letmein, postern } = story
    await postern.knock(client, server.v4, '22', '--wait')
    await letmein.must(client, 'revoke', server.v4, '22')
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })

  /** Goes on with a rhythm of 100 ms until `attempts` are over, six seconds at most. */
  async function during(flood: () => Promise<unknown>, attempts: () => Promise<void>): Promise<void> {
    let isOver = false
    const flooding = (async () => {
      for (let i = 0; i < 60 && !isOver; i++) {
        await flood()
        await pause(100)
      }
    })()
    try {
      await attempts()
    } finally {
      isOver = true
      await flooding
    }
  }

  it('SPA is not starved by letmein’s junk of a known user', async () => {
    const { client, stranger, server, postern } = story
    const target = { address: server.v4, port: KNOCK_PORT }
    const prefix = knockMessage().subarray(0, 12)
    const flood = () => stranger.flood(target, { count: 200, bytes: 56, perSecond: 20_000, prefix })
    await during(flood, async () => {
      for (let i = 0; i < 10; i++) {
        await postern.knock(client, server.v4, '22')
        await becomesOpen(client, server.v4)
        expect((await postern.postern(client, 'revoke', server.v4, '22')).status).to.equal(0)
        await becomesShut(client, server.v4)
      }
    })
  })

  it('letmein is not starved by recorded datagrams of SPA', async () => {
    const { client, stranger, server, letmein, postern } = story
    const capture = await server.capture()
    await postern.knock(client, server.v6, '22')
    const recorded = datagramsOf(await capture.packets())[0]!
    capture.stop()
    const flood = () => stranger.send(server.v4, KNOCK_PORT, Array<Buffer>(50).fill(recorded))
    await during(flood, async () => {
      for (let i = 0; i < 10; i++) {
        await letmein.must(client, 'knock', server.v4, '22')
        await letmein.must(client, 'revoke', server.v4, '22')
      }
    })
  })
})

describe('with `port = any / udp`', () => {
  let story: LetmeinStory
  let letmein: LetmeinClient
  before(async () => {
    story = await beginGuarded('any / udp')
    letmein = new LetmeinClient(story, letmeinFile([SSH], { general }))
  })
  after(() => story.close())

  it('a letmein client is answered from whichever port it knocks at', async () => {
    const { client, server } = story
    for (const port of ['5800', '7777', '61000']) {
      await letmein.must(client, 'knock', '-P', port, server.v4, '22')
      expect(await client.connect(server.v4, 22)).to.equal('open')
      await letmein.must(client, 'revoke', '-P', port, server.v4, '22')
    }
  })

  it('not from a port that another program has, and posternd says so', async () => {
    const { client, server, daemon } = story
    await server.listen(7778)
    const { status, stderr } = await letmein.run(client, 'knock', '-P', '7778', server.v4, '22')
    expect(status).to.equal(1)
    expect(stderr).to.match(/RX communication with peer timed out/)
    await daemon.waitLine(/letmein: no answer from 198\.18\.0\.1 port 7778: .*EADDRINUSE/)
  })
})
