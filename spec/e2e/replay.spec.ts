/**
 *     client ── knock ──▶ server: posternd, a service on 22
 *                    ╲ recorded
 *     stranger ──── the same bytes ──▶ nothing, now and after every kind of restart
 */
import { expect } from 'chai'
import { KNOCK_PORT } from '../support/installation.js'
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
