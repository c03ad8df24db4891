/**
 *     server: an administrator who says `posternd trust-clock` once more than needed
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { poll } from '../support/poll.js'
import { becomesShut, begin, type Story } from '../support/story.js'

describe('trust-clock, said again', () => {
  let story: Story
  before(async () => {
    story = await begin()
  })
  after(() => story.close())

  async function sayAgain(): Promise<string> {
    const { postern } = story
    const where = ['--run-dir', join(story.folder, 'run'), '--state-dir', join(story.folder, 'state')]
    const { status, stdout, stderr } = await postern.posternd('trust-clock', ...where)
    expect(status, stderr).to.equal(0)
    return stdout
  }

  async function knockOpens(): Promise<void> {
    const { client, server, postern } = story
    await postern.knock(client, server.v4, '22', '--wait')
    await becomesShut(client, server.v4)
  }

  it('to a running daemon locks nobody out', async () => {
    await knockOpens()
    expect(await sayAgain()).to.match(/^nothing to do/)
    await knockOpens()
  })

  it('to a stopped one neither, and leaves the journal as it is', async () => {
    await story.daemon!.stop()
    expect(await sayAgain()).to.match(/^nothing to do/)
    story.daemon = await story.postern.start()
    expect(story.daemon.lines.join('\n')).not.to.match(/not trusted/)
    await knockOpens()
  })

  it('to one whose journal is not trusted says how long knocks are refused all the same', async () => {
    const { postern } = story
    await story.daemon!.stop()
    for (const lost of ['state', 'run/listener']) rmSync(join(story.folder, lost), { recursive: true })
    story.daemon = await postern.start()
    await poll('the listener has said so', async () => /but the replay journal is not trusted/.test(await sayAgain()))
    expect(await sayAgain()).to.match(
      /^nothing to do: .* knocks are refused for \d+ s more, until \d{4}-\S+Z \(posternd open /,
    )
  })

  it('where the horizon was lost and the journal was not takes nothing for a first start', async () => {
    await story.daemon!.stop()
    rmSync(join(story.folder, 'state/monitor/horizon'))
    const saidMs = Date.now()
    const [, time] = /^knocks made after (\S+) are accepted, in \d+ s/.exec(await sayAgain())!
    expect(Date.parse(time!)).to.be.within(saidMs + 300_000, Date.now() + 300_001)
  })
})
