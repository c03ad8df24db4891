/**
 *   client ── server: posternd, whose /run or /var/lib takes no byte more ── stranger
 *
 * A full disk opens no port, and whoever asked for something is told which file could not be written.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { becomesOpen, begin, type Story } from '../support/story.js'

const FILLER = 'filler'

describe('a disk that is full', () => {
  let story: Story
  const mounted: string[] = []
  afterEach(async () => {
    await story.daemon?.kill9()
    for (const folder of mounted.splice(0)) execFileSync('umount', ['--lazy', folder])
    await story.close()
  })

  /** The folder of `run` or `state`, which takes no byte more. */
  async function given(what: 'run' | 'state') {
    story = await begin({ daemon: false })
    const folder = join(story.folder, what)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o755 })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=755', 'full', folder])
    mounted.push(folder)
    expect(() => writeFileSync(join(folder, FILLER), Buffer.alloc(64 << 10))).to.throw(/ENOSPC/)
    return folder
  }

  const words = () => [...story.postern.at, '--state-dir', join(story.folder, 'state')]
  const stranger = () => story.stranger.connect(story.server.v4, 22)
  async function ended() {
    const daemon = story.postern.spawn()
    story.daemon = daemon
    const { status } = await daemon.exited
    story.daemon = undefined
    return { status, said: daemon.lines.join('\n') }
  }

  it('posternd up shuts all the same, and says what it could not write and what follows', async () => {
    const run = await given('run')
    const { status, stderr } = await story.postern.posternd('up', ...words())
    expect(stderr).to.match(
      /^warning: .*\/run\/monitor\/boot: cannot be written: ENOSPC: .*df -h .*: the gate is up, shut; until then each start takes all leases away\n$/,
    )
    expect(status).to.equal(0)
    expect(await stranger()).to.equal('refused')
    rmSync(join(run, FILLER))
    expect((await story.postern.posternd('up', ...words())).stderr).to.equal('')
  })

  it('posternd run ends and names the mark in /run; what it shut stays shut', async () => {
    const run = await given('run')
    const { status, said } = await ended()
    expect(said).to.match(/\/run\/monitor\/boot: cannot be written: ENOSPC: /)
    expect(said)
      .to.match(/the gate that is up stays as it is, shut/)
      .and.not.match(/ at .*:\d+:\d+/)
    expect(status).to.equal(69)
    expect(await stranger()).to.equal('refused')
    rmSync(join(run, FILLER))
    story.daemon = await story.postern.start()
    await story.postern.knock(story.client, story.server.v4, '22')
    await becomesOpen(story.client, story.server.v4)
  })

  it('posternd run ends and names the horizon; on the very first start, too, nothing stays open', async () => {
    await given('state')
    const { status, said } = await ended()
    expect(said).to.match(/\/state\/monitor\/horizon: cannot be written: ENOSPC: /)
    expect(said).to.match(/the gate that is up stays as it is, shut/)
    expect(status).to.equal(69)
    expect(await stranger()).to.equal('refused')
  })
})
