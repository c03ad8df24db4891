/**
 * The real letmein client knocks at posternd, which has letmein's own configuration and sits in the administrator's chains.
 *
 *     client: letmein ── server: posternd with a letmeind.conf, chains that drop, services ── stranger
 */
import { expect } from 'chai'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { LetmeinClient, letmeinFile, RULESET } from '../support/letmein-peer.js'
import { beginLetmein, type LetmeinStory, SSH } from '../support/letmein-story.js'
import { poll } from '../support/poll.js'

const TRANSPORTS = { UDP: '-U', TCP: '-T' } as const
const port = '5800 / tcp,udp'

for (const [transport, flag] of Object.entries(TRANSPORTS)) {
  describe(`the letmein client at posternd, over ${transport}`, () => {
    let story: LetmeinStory
    before(async () => {
      nameServer()
      story = await beginLetmein({ port })
    })
    after(() => story.close())

    for (const family of ['v4', 'v6'] as const) {
      it(`opens a port for itself over IP${family} and for nobody else, and revokes it`, async () => {
        const { client, stranger, server, letmein } = story
        const address = server[family]
        expect(await client.connect(address, 22)).to.equal('silent')

        await letmein.must(client, 'knock', flag, address, '22')

        expect(await client.connect(address, 22)).to.equal('open')
        expect(await stranger.connect(address, 22)).to.equal('silent')
        await letmein.must(client, 'revoke', flag, address, '22')
        expect(await client.connect(address, 22)).to.equal('silent')
        await letmein.must(client, 'revoke', flag, address, '22')
      })
    }

    it('opens and revokes by a name both addresses of it, or the one that it is told', async () => {
      const { client, server, letmein } = story
      const both = () => Promise.all([client.connect(server.v4, 22), client.connect(server.v6, 22)])
      await letmein.must(client, 'knock', flag, SERVER_NAME, '22')
      expect(await both()).to.deep.equal(['open', 'open'])
      await letmein.must(client, 'revoke', flag, '-6', SERVER_NAME, '22')
      expect(await both()).to.deep.equal(['open', 'silent'])
      await letmein.must(client, 'revoke', flag, SERVER_NAME, '22')
      expect(await both()).to.deep.equal(['silent', 'silent'])
    })
  })
}

describe('the letmein client at posternd', () => {
  const resources = [
    SSH,
    '00000002 = port: 53',
    '00000003 = port: 54 / udp',
    '00000004 = port: 55 / tcp,udp',
    '00000005 = users: 0000000B, C / port: 0x17',
    '00000006 = port: 24 / timeout: 0.5',
  ]
  const keys = [`0000000B = ${'4b'.repeat(32)}`, `c = ${'5C'.repeat(32)}`]
  const general = ['control-timeout = 0.5']
  let story: LetmeinStory
  before(async () => {
    story = await beginLetmein({ resources, keys, general, services: [22, 23, 24, 53, 54, 55] })
    for (const udp of [53, 54, 55, 5999]) await story.server.listen(udp)
    await story.server.must(['nft', 'add rule inet filter INPUT udp dport 5999 accept'])
  })
  after(() => story.close())

  /** Which transports of a port let this host in. A datagram to an open port, sent last, says that the others are through. */
  async function openings(number: number): Promise<string[]> {
    const { client, server } = story
    const before = (await server.heard(number)).length
    const sentinels = (await server.heard(5999)).length
    await client.send(server.v4, number, [Buffer.from('hello')])
    await client.send(server.v4, 5999, [Buffer.from('through')])
    await poll('the sentinel is there', async () => (await server.heard(5999)).length > sentinels)
    const udp = (await server.heard(number)).length > before
    const tcp = (await client.connect(server.v4, number)) === 'open'
    return [tcp ? 'tcp' : '', udp ? 'udp' : ''].filter(Boolean)
  }

  for (const [number, opened] of [
    [53, ['tcp']],
    [54, ['udp']],
    [55, ['tcp', 'udp']],
  ] as const) {
    it(`opens port ${number} for ${opened.join(' and ')} and revokes it`, async () => {
      const { client, server, letmein } = story
      expect(await openings(number)).to.deep.equal([])
      await letmein.must(client, 'knock', server.v4, String(number))
      expect(await openings(number)).to.deep.equal(opened)
      await letmein.must(client, 'revoke', server.v4, String(number))
      expect(await openings(number)).to.deep.equal([])
    })
  }

  it('opens a user’s port for that user, and any of its users revokes it', async () => {
    const { client, server, letmein } = story
    const { status, stderr } = await letmein.run(client, 'knock', server.v4, '-r', '5')
    expect([status, stderr]).to.deep.equal([1, 'Error: The server rejected the request\n'])
    expect(await client.connect(server.v4, 23)).to.equal('silent')
    await letmein.must(client, 'knock', '-u', '0000000B', server.v4, '23')
    expect(await client.connect(server.v4, 23)).to.equal('open')
    const [lease] = (await story.postern.status()).leases
    expect(lease).to.include({ resource: '00000005', address: client.v4, user: '0000000B' })
    await letmein.must(client, 'revoke', '-u', 'c', server.v4, '23')
    expect(await client.connect(server.v4, 23)).to.equal('silent')
  })

  it('loses the port at the moment when the lease ends, and has its whole time again with each knock', async () => {
    const { client, server, letmein } = story
    const address = server.v4
    const knocking = async () => {
      const began = performance.now()
      await letmein.must(client, 'knock', address, '24')
      return began
    }
    const isShut = async () => (await client.connect(address, 24, 20)) !== 'open'
    const first = await knocking()
    await poll('half of its time is over', () => performance.now() - first > 250)
    const second = await knocking()
    await poll('port 24 shuts', isShut, { every: 1 })
    // No upper bound: it is this process that may be late.
    expect(performance.now() - second).to.be.at.least(500)
    expect((await story.postern.status()).leases).to.deep.equal([])
  })

  it('has rules and comments that an administrator of letmein recognises', async () => {
    const { client, server, letmein } = story
    await letmein.must(client, 'knock', server.v4, '22')
    const chain = await server.must(['nft', 'list chain inet filter LETMEIN-INPUT'])
    expect(chain).to.match(
      /ip saddr @postern_lease4_00000001 tcp dport 22 .*accept comment "[^"]*\/port\/22\/TCP\/accept\/LETMEIN"/,
    )
    const lease = await server.must(['nft', 'list set inet filter postern_lease4_00000001'])
    expect(lease).to.match(new RegExp(`${client.v4} .*comment "[^"]*${client.v4}[^"]*LETMEIN"`))
    await letmein.must(client, 'revoke', server.v4, '22')
  })

  it('opens by number what its own file does not know', async () => {
    const { client, server } = story
    const bare = new LetmeinClient(story, letmeinFile([]))
    await bare.must(client, 'knock', server.v4, '-r', '1')
    expect(await client.connect(server.v4, 22)).to.equal('open')
    await bare.must(client, 'revoke', server.v4, '-r', '1')
  })
})

describe('the letmein client at posternd in chains that reject', () => {
  let story: LetmeinStory
  before(async () => {
    story = await beginLetmein({
      ruleset: RULESET.replace(
        'jump LETMEIN-INPUT',
        'jump LETMEIN-INPUT\n    meta l4proto tcp reject with tcp reset\n    reject',
      ),
    })
  })
  after(() => story.close())

  it('does not meet the ICMP message at which it would give up', async () => {
    const { client, server, letmein } = story
    for (const address of [server.v4, server.v6]) {
      expect(await client.connect(address, 22)).to.equal('refused')
      await letmein.must(client, 'knock', address, '22')
      expect(await client.connect(address, 22)).to.equal('open')
      await letmein.must(client, 'revoke', address, '22')
    }
  })
})
