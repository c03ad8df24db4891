/**
 *     client ── knock ──▶ server: posternd, a service on 22
 *                    ╲ recorded
 *     stranger ──── the same bytes ──▶ nothing, now and after every kind of restart
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { seal } from '../../lib/wire/spa.js'
import { deriveKeys, slotOf, tagOf } from '../../lib/wire/spa-keys.js'
import { KEY, KNOCK_PORT, REALM, USER } from '../support/installation.js'
import type { Namespace } from '../support/namespace.js'
import { becomesOpen, becomesShut, begin, datagramsOf, type Story, withinLease } from '../support/story.js'

describe('a recorded knock', () => {
  let story: Story
  let recorded: Buffer
  before(async () => {
    story = await begin()
    const { client, server, postern } = story
    recorded = await withinLease(async () => {
      const capture = await server.capture()
      await postern.knock(client, server.v4, '22')
      await becomesOpen(client, server.v4)
      return datagramsOf(await capture.packets())[0]!
    })
    await becomesShut(client, server.v4)
  })
  after(() => story.close())

  /** Plays it, and waits until the daemon has said that it judged it. */
  async function isRefused(from: Namespace): Promise<void> {
    const { server, daemon } = story
    const since = daemon!.lines.length
    await from.send(server.v4, KNOCK_PORT, [recorded])
    await daemon!.waitLine(new RegExp(`refused a knock from ${from.v4} `), 30_000, since)
    expect(await from.connect(server.v4, 22)).to.equal('refused')
  }

  it('opens nothing from another address', () => isRefused(story.stranger))

  it('opens nothing from the same address', () => isRefused(story.client))

  it('opens nothing after the listener was killed', async () => {
    const [, listener] = story.daemon!.descendants()
    process.kill(listener!, 'SIGKILL')
    await isRefused(story.stranger)
  })

  it('opens nothing after the monitor was killed', async () => {
    const [monitor] = story.daemon!.descendants()
    const since = story.daemon!.lines.length
    process.kill(monitor!, 'SIGKILL')
    await story.postern.hears(story.daemon!, since)
    await isRefused(story.stranger)
  })

  it('opens nothing after all was killed and started again', async () => {
    await story.daemon!.kill9()
    story.daemon = await story.postern.start()
    await isRefused(story.stranger)
  })

  it('opens nothing after an orderly restart', async () => {
    await story.daemon!.stop()
    story.daemon = await story.postern.start()
    await isRefused(story.stranger)
  })

  it('leaves the way free for a new knock', async () => {
    const { client, server, postern } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
  })
})

describe('a knock of a clock that is 50 s ahead', () => {
  let story: Story
  before(async () => {
    story = await begin()
  })
  after(() => story.close())

  it('opens nothing a second time after a stop and a boot, in which what is made then opens at once', async () => {
    const { client, stranger, server, postern } = story
    const ahead = knockAt(Date.now() + 50_000, 1)
    await client.send(server.v4, KNOCK_PORT, [ahead])
    await becomesOpen(client, server.v4)
    expect(await story.daemon!.stop()).to.deep.equal({ status: 0, signal: null })

    rmSync(join(story.folder, 'run'), { recursive: true })
    await server.must(['nft', 'flush', 'ruleset'])
    const run = [join(postern.folder, 'bin/posternd'), 'run', ...postern.runArguments]
    const daemon = server.spawn(run, { POSTERN_NODE: '/run/node', POSTERN_BOOT_ID: 'ab'.repeat(16) })
    story.daemon = daemon
    await postern.hears(daemon)
    await stranger.send(server.v4, KNOCK_PORT, [ahead])
    await daemon.waitLine(/refused a knock from .*: the replay journal cannot be trusted for its time yet/)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')

    await client.send(server.v4, KNOCK_PORT, [knockAt(Date.now() + 51_000, 2)])
    await becomesOpen(client, server.v4)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })
})

const KEYS = deriveKeys(Buffer.from(KEY, 'hex'), REALM)

/** As a client makes it whose clock says this. */
function knockAt(timeMs: number, nonce: number): Uint8Array {
  const knock = { operation: 'open' as const, user: Number.parseInt(USER, 16), resource: 1, timeMs }
  const all = { ...knock, lifetimeSeconds: 60, instant: false }
  return seal(all, KEYS.seal, tagOf(KEYS.tag, slotOf(timeMs), 0), new Uint8Array(24).fill(nonce), 0)
}
