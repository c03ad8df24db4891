/**
 *     client ── letmein ──▶ server: posternd with a letmeind.conf, restarted in every way
 *                    ╲ recorded
 *     stranger ──── the same KNOCK ──▶ not one byte, now and after every kind of restart
 */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { KNOCK_PORT } from '../support/installation.js'
import { answersTo, operationOf } from '../support/letmein-exchange.js'
import { beginLetmein, type LetmeinStory } from '../support/letmein-story.js'
import { poll } from '../support/poll.js'
import { datagramsOf } from '../support/story.js'

describe('a recorded KNOCK of letmein’s', () => {
  let story: LetmeinStory
  let recorded: Buffer
  before(async () => {
    story = await beginLetmein()
    const { client, server, letmein } = story
    const capture = await server.capture()
    await letmein.must(client, 'knock', server.v4, '22')
    recorded = datagramsOf(await capture.packets())[0]!
    expect(operationOf(recorded)).to.equal('KNOCK')
    await letmein.must(client, 'revoke', server.v4, '22')
    capture.stop()
  })
  after(() => story.close())

  /** Plays it from both addresses; the daemon says that it judged it, and nothing comes back. */
  async function isSilence(): Promise<void> {
    const { client, stranger, server, daemon } = story
    const capture = await server.capture()
    for (const from of [stranger, client]) {
      const since = daemon.lines.length
      await from.send(server.v4, KNOCK_PORT, [recorded])
      await daemon.waitLine(new RegExp(`refused a knock from ${from.v4} .*letmein: it was seen before`), 30_000, since)
    }
    expect((await capture.sent()).map(String)).to.deep.equal([])
    capture.stop()
  }

  it('gets silence', isSilence)

  it('gets silence after the listener was killed', async () => {
    const [, listener] = story.daemon.descendants()
    process.kill(listener!, 'SIGKILL')
    await isSilence()
  })

  it('gets silence after the monitor was killed', async () => {
    const [monitor] = story.daemon.descendants()
    const since = story.daemon.lines.length
    process.kill(monitor!, 'SIGKILL')
    await story.postern.hears(story.daemon, since)
    await isSilence()
  })

  it('gets silence after all was killed and started again', async () => {
    await story.daemon.kill9()
    story.daemon = await story.postern.start()
    await isSilence()
  })

  it('gets silence after an orderly restart', async () => {
    await story.daemon.stop()
    story.daemon = await story.postern.start()
    await isSilence()
  })

  it('gets silence after a boot, of which only the disk is left', async () => {
    await story.daemon.stop()
    await story.server.must(['nft', 'delete', 'table', 'inet', 'postern'])
    rmSync(join(story.folder, 'run'), { recursive: true })
    story.daemon = await story.postern.start()
    await isSilence()
  })

  it('gets one CHALLENGE and no port where the disk is lost too', async () => {
    const { client, stranger, server, postern } = story
    await story.daemon.stop()
    rmSync(join(story.folder, 'state', 'listener'), { recursive: true })
    story.daemon = await postern.start()
    const capture = await server.capture()
    await stranger.send(server.v4, KNOCK_PORT, [recorded])
    const answers = async () => answersTo(await capture.packets(), stranger.v4).map(operationOf)
    await poll('it is answered', async () => (await answers()).length > 0)
    await isSilence()
    expect(await answers()).to.deep.equal(['CHALLENGE'])
    expect(await stranger.connect(server.v4, 22)).to.equal('silent')
    expect(await client.connect(server.v4, 22)).to.equal('silent')
  })

  it('leaves the way free for a new one', async () => {
    const { client, server, letmein } = story
    await letmein.must(client, 'knock', server.v4, '22')
    expect(await client.connect(server.v4, 22)).to.equal('open')
  })
})
