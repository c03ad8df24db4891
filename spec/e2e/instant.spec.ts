/**
 *     client ── knock, SYN right behind it ──▶ server: the kernel opens; posternd stands still
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Knocker } from '../../lib/client/knock.js'
import { SLOT_MS } from '../../lib/wire/spa-keys.js'
import { KEY, KNOCK_PORT, REALM, serverFile, USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const SYN = 0x02
const RESOURCE = '00000001 = port: 22 / timeout: 30 / instant: yes'

/** Made by a client whose clock is one slot ahead: a first start puts no tokens of the slot that runs into the kernel. */
function instantDatagram(): Uint8Array {
  const identity = { user: Number.parseInt(USER, 16), key: Buffer.from(KEY, 'hex'), realm: REALM }
  const wish = { operation: 'open', resource: 1, lifetimeSeconds: 0, instant: 'alone' } as const
  return new Knocker(identity, (bytes) => randomBytes(bytes)).datagrams(wish, Date.now() + SLOT_MS)[0]!
}

describe('an instant resource', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: [RESOURCE] })
  })
  after(() => story.close())

  /** The daemon's processes stop or go on: what happens meanwhile, the kernel did. */
  function everyProcess(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { daemon } = story
    for (const pid of [daemon!.pid, ...daemon!.descendants()]) process.kill(pid, signal)
  }

  it('is opened by the kernel alone; a SYN right behind the knock is never sent twice', async () => {
    const { client, stranger, server, daemon } = story
    const instant = instantDatagram()
    const capture = await server.capture()
    expect(await client.connect(server.v4, 22)).to.equal('refused')

    everyProcess('SIGSTOP')
    try {
      const { outcome } = await client.sendAndConnect({ address: server.v4, port: KNOCK_PORT }, [instant], 22)
      expect(outcome).to.equal('open')
      const syns = (await capture.packets()).filter(({ outgoing, tcpFlags }) => !outgoing && tcpFlags === SYN)
      expect(syns, 'the one that was refused and the one that came in').to.have.length(2)
      await stranger.send(server.v4, KNOCK_PORT, [instant])
      expect(await stranger.connect(server.v4, 22), 'its token was used').to.equal('refused')
    } finally {
      everyProcess('SIGCONT')
    }
    await daemon!.waitLine(/by the kernel: open 00000001 for 198\.18\.1\.2, user 0000000A/)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })

  it('is opened by the ordinary way where the kernel has no such token', async () => {
    const { client, server, postern } = story
    await postern.knock(client, server.v6, '22')
    await becomesOpen(client, server.v6)
  })
})

describe('the tokens of a key that was changed while no daemon ran', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: [RESOURCE] })
  })
  after(() => story.close())

  it('are out of the kernel with the next start', async () => {
    const { client, server, postern } = story
    const instant = instantDatagram()
    const tokens = () => server.must(['nft', 'list', 'set', 'inet', 'postern', 'inst_00000001'])
    await poll('tokens are in', async () => (await tokens()).includes('elements'))
    await story.daemon!.stop()
    postern.configure(
      serverFile([RESOURCE]).replace(
        KEY,
        KEY.replace(/^./, (digit) => (digit === 'A' ? 'B' : 'A')),
      ),
    )
    const daemon = await postern.start()
    await client.send(server.v4, KNOCK_PORT, [instant])
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await daemon.stop()
  })

  it('and those of the same keys stay in it', async () => {
    const { server, postern } = story
    const tokens = () => server.must(['nft', 'list', 'set', 'inet', 'postern', 'inst_00000001'])
    const daemon = await postern.start()
    await poll('tokens are in', async () => (await tokens()).includes('elements'), { within: 40_000 })
    await daemon.stop()
    const before = (await tokens()).match(/0x[0-9a-f]+/g)
    await postern.start()
    expect((await tokens()).match(/0x[0-9a-f]+/g)).to.include.members(before!)
  }).timeout(60_000)
})
