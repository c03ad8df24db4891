/**
 * What letmeind's users lose when something dies, and posternd's do not.
 *
 *     client: letmein ── server: posternd is killed, restarted, reloaded; others flush the ruleset ── stranger
 */
import { expect } from 'chai'
import { USER } from '../support/installation.js'
import { letmeindFile, RULESET } from '../support/letmein-peer.js'
import { beginLetmein, hearsTcp, type LetmeinStory } from '../support/letmein-story.js'
import { poll } from '../support/poll.js'
import { becomesShut, LEASE_MS } from '../support/story.js'

const LONG = '00000002 = port: 23 / timeout: 60'
const resources = [`00000001 = port: 22 / timeout: ${LEASE_MS / 1000}`, LONG]
const beginning = { resources, services: [22, 23], general: ['control-timeout = 0.5'] }

describe('a lease that a letmein client was given', () => {
  let story: LetmeinStory
  beforeEach(async () => {
    story = await beginLetmein(beginning)
  })
  afterEach(() => story.close())

  it('ends in time when all of posternd was killed', async () => {
    const { client, server, letmein, daemon } = story
    const since = performance.now()
    await letmein.must(client, 'knock', server.v4, '22')
    await daemon.kill9()
    await becomesShut(client, server.v4)
    // No upper bound: it is this process that may be late.
    expect(performance.now() - since).to.be.at.least(LEASE_MS)
  })

  it('is kept over a restart, in order or by force, and revoked after it', async () => {
    const { client, server, stranger, letmein, postern } = story
    await letmein.must(client, 'knock', server.v4, '23')
    for (const end of ['stop', 'kill9'] as const) {
      await story.daemon[end]()
      story.daemon = await postern.start()
      expect(await client.connect(server.v4, 23)).to.equal('open')
      expect(await stranger.connect(server.v4, 23)).to.equal('silent')
    }
    const [lease] = (await postern.status()).leases
    expect(lease).to.include({ resource: '00000002', address: client.v4, user: USER })
    expect(lease!.remainingMs).to.be.within(40_000, 60_000)
    await letmein.must(client, 'revoke', server.v4, '23')
    expect(await client.connect(server.v4, 23)).to.equal('silent')
  })

  it('is kept over a reload, which takes effect at once', async () => {
    const { client, server, letmein, postern, daemon } = story
    await letmein.must(client, 'knock', server.v4, '23')
    postern.configure(letmeindFile([LONG], beginning))
    daemon.signal('SIGHUP')
    await daemon.waitLine(/reloaded .*: 1 users?, 1 resources?$/)
    expect(await client.connect(server.v4, 23)).to.equal('open')
    await poll('the listener has the new file too', async () => {
      const { status, stderr } = await letmein.run(client, 'knock', server.v4, '22')
      return status === 1 && /The server rejected the request/.test(stderr)
    })
    await letmein.must(client, 'revoke', server.v4, '23')
  })

  it('goes with its user’s key in a reload, and the user is a stranger from then on', async () => {
    const { client, server, letmein, postern, daemon } = story
    await letmein.must(client, 'knock', server.v4, '23')
    postern.configure(letmeindFile(resources, beginning).replace(`${USER} = `, '0000000B = '))
    daemon.signal('SIGHUP')
    await daemon.waitLine(/reloaded/)
    expect(await client.connect(server.v4, 23)).to.equal('silent')
    const { status, stderr } = await letmein.run(client, 'knock', server.v4, '23')
    expect(status, stderr).to.equal(1)
    expect(stderr).to.match(/RX communication with peer timed out/)
  })
})

describe('letmein clients are heard', () => {
  let story: LetmeinStory
  const port = '5800 / tcp,udp'
  beforeEach(async () => {
    story = await beginLetmein({ ...beginning, port })
  })
  afterEach(() => story.close())

  async function comesIn(): Promise<void> {
    const { client, server, stranger, letmein } = story
    for (const flag of ['-U', '-T']) {
      for (const address of [server.v4, server.v6]) {
        await letmein.must(client, 'knock', flag, address, '23')
        expect(await client.connect(address, 23), `${flag} ${address}`).to.equal('open')
        expect(await stranger.connect(address, 23)).to.equal('silent')
        await letmein.must(client, 'revoke', flag, address, '23')
        expect(await client.connect(address, 23)).to.equal('silent')
      }
    }
  }

  it('after `flush ruleset` and the administrator’s own ruleset again, with the leases that there were', async () => {
    const { client, server, letmein, daemon } = story
    await letmein.must(client, 'knock', server.v4, '23')
    const since = daemon.lines.length
    await server.must(['nft', '-f', '-'], { input: `flush ruleset\n${RULESET}` })
    await daemon.waitLine(/it is back/, 30_000, since)
    expect(await client.connect(server.v4, 23)).to.equal('open')
    await letmein.must(client, 'revoke', server.v4, '23')
    expect(await client.connect(server.v4, 23)).to.equal('silent')
    await comesIn()
  })

  it('while the administrator’s ruleset is away, and after it came back', async () => {
    const { client, server, letmein, daemon } = story
    let since = daemon.lines.length
    await server.must(['nft', 'flush', 'ruleset'])
    await daemon.waitLine(/it is back|could not be put back/, 30_000, since)
    // Nothing of his is there that could be opened: not a success.
    const { status, stderr } = await letmein.run(client, 'knock', server.v4, '23')
    expect([status, stderr]).to.deep.equal([1, 'Error: The server rejected the request\n'])
    since = daemon.lines.length
    await server.must(['nft', '-f', '-'], { input: RULESET })
    await daemon.waitLine(/it is back/, 30_000, since)
    await comesIn()
  })

  it('after a restart, at once', async () => {
    const { client, server, letmein, postern, daemon } = story
    await letmein.must(client, 'knock', server.v4, '23')
    await daemon.kill9()
    story.daemon = await postern.start()
    await letmein.must(client, 'revoke', '-U', server.v4, '23')
    await hearsTcp(story, { port })
    await comesIn()
  })

  it('after the listener was killed, and after the monitor was', async () => {
    const { postern, daemon } = story
    const [monitor, listener] = daemon.descendants()
    process.kill(listener!, 'SIGKILL')
    await daemon.waitLine(/listener ended .*; starting it again/)
    await hearsTcp(story, { port })
    await comesIn()
    const since = daemon.lines.length
    process.kill(monitor!, 'SIGKILL')
    await postern.hears(daemon, since)
    await hearsTcp(story, { port })
    await comesIn()
  })

  it('with a listener of its own for both families, whatever bindv6only says', async () => {
    const { server, postern, daemon } = story
    await daemon.stop()
    await server.sysctl({ 'net.ipv6.bindv6only': 1 })
    story.daemon = await postern.start()
    await hearsTcp(story, { port })
    await comesIn()
  })
})
