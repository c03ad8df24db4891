/**
 *     client ── knock, SYN right behind it ──▶ server: the kernel opens; posternd stands still
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Knocker } from '../../lib/client/knock.js'
import { SLOT_MS } from '../../lib/wire/spa-keys.js'
import { KEY, KNOCK_PORT, REALM, USER } from '../support/installation.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const SYN = 0x02

describe('an instant resource', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: ['00000001 = port: 22 / timeout: 30 / instant: yes'] })
  })
  after(() => story.close())

  /** The daemon's processes stop or go on: what happens meanwhile, the kernel did. */
  function everyProcess(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { daemon } = story
    for (const pid of [daemon!.pid, ...daemon!.descendants()]) process.kill(pid, signal)
  }

  /** Made by a client whose clock is one slot ahead: a first start puts no tokens of the slot that runs into the kernel. */
  function instantDatagram(): Uint8Array {
    const identity = { user: Number.parseInt(USER, 16), key: Buffer.from(KEY, 'hex'), realm: REALM }
    const wish = { operation: 'open', resource: 1, lifetimeSeconds: 0, instant: 'alone' } as const
    return new Knocker(identity, (bytes) => randomBytes(bytes)).datagrams(wish, Date.now() + SLOT_MS)[0]!
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
