/**
 *     client ── ssh (made before) ── server: sshd, no gate yet; `posternd trial` in that login, `posternd confirm` in another
 *     stranger                       ── and the kernel that takes back what nobody confirms
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { askControl, CONTROL_SOCKET } from '../../lib/daemon/control.js'
import { startSshd } from '../../scripts/demo-sshd.js'
import type { Child } from '../support/child.js'
import type { Outcome } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { begin, type Story } from '../support/story.js'

const SHORT = '10s'

describe('a gate on trial', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin({
      services: [],
      daemon: false,
      resources: ['00000001 = port: 22 / timeout: 2 / max-timeout: 60'],
    })
    await startSshd(story)
  })
  afterEach(() => story.close())

  const login = (...command: readonly string[]): Promise<Outcome> =>
    story.client.run(['ssh', '-F', join(story.folder, 'ssh_config'), story.server.v4, ...command], {
      timeoutMs: 30_000,
    })

  const posternd = (...words: readonly string[]) => {
    const { postern, folder } = story
    const at = [...postern.at, '--state-dir', join(folder, 'state')]
    return ['env', 'POSTERN_NODE=/run/node', join(postern.folder, 'bin/posternd'), ...words, ...at]
  }

  /** A login that was there before the gate: it begins the trial, and then says a line each time it is asked to. */
  async function oldLogin(time: string): Promise<Child> {
    const loop = `${posternd('trial', time).join(' ')} && while :; do echo alive; sleep 0.2; done`
    const argv = ['ssh', '-F', join(story.folder, 'ssh_config'), story.server.v4, `sh -c '${loop}'`]
    const child = story.client.spawn(argv)
    await child.waitLine(/the gate is up for/)
    return child
  }

  const stillAlive = (child: Child) => child.waitLine(/alive/, 30_000, child.lines.length)

  const isTakenBack = () =>
    poll('the trial ends', async () => (await story.stranger.connect(story.server.v4, 22)) === 'open', {
      within: 15_000,
    })

  it('leaves whoever began it his connection, shuts out strangers, and is confirmed by who came in through it', async () => {
    const { client, server, stranger, postern, folder } = story
    const old = await oldLogin('60s')
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await stillAlive(old)
    story.daemon = await postern.start()
    expect(story.daemon.lines.join('\n')).to.match(/on trial: without posternd confirm/)
    await stillAlive(old)

    // His address has its lease, which a proof must not rest on: the login that confirms is one made after the trial began.
    await postern.knock(client, server.v4, '22')
    const confirmed = await login(...posternd('confirm'))
    expect(confirmed.stderr + confirmed.stdout).to.match(/confirmed: the gate stays/)
    expect(confirmed.status).to.equal(0)
    expect(existsSync(join(folder, 'state/monitor/trial'))).to.equal(false)
    const rules = await server.must(['nft', 'list', 'ruleset'])
    expect(rules).not.to.include('trial')
    expect(
      existsSync(join(folder, 'state/monitor/gate.nft')),
      'the gate is kept for a start with a spoilt file',
    ).to.equal(true)
    await stillAlive(old)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    const again = await login(...posternd('confirm'))
    expect(again).to.include({ status: 2 })
    expect(again.stderr).to.match(/no trial is on/)
  })

  it('is not confirmed from the connection that was there before, nor from none', async () => {
    const { server } = story
    const line = `${posternd('trial', '60s').join(' ')} && ${posternd('confirm').join(' ')}`
    const { status, stderr } = await login(`sh -c '${line}'`)
    expect(status).to.equal(2)
    expect(stderr).to.match(/older than the trial/)
    const alone = await server.run(posternd('confirm'))
    expect(alone).to.include({ status: 2 })
    expect(alone.stderr).to.match(/no ssh login/)
    expect(await server.run(posternd('confirm', '--force'))).to.include({ status: 0 })
  })

  it('is for good once the daemon made it so, also where whoever asked is gone before the answer', async () => {
    const { server, stranger, folder, postern } = story
    await server.must(posternd('trial', SHORT))
    story.daemon = await postern.start()
    expect(await askControl(join(folder, 'run', CONTROL_SOCKET), { command: 'confirm' })).to.deep.equal({ ok: true })
    expect(existsSync(join(folder, 'state/monitor/trial'))).to.equal(false)
    await story.daemon.kill9()
    story.daemon = await postern.start()
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })

  it('is taken back by the kernel where nothing of ours lives any more', async () => {
    const { server, stranger, postern } = story
    await login(posternd('trial', SHORT).join(' '))
    story.daemon = await postern.start()
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await story.daemon.kill9()
    await isTakenBack()
    // And stays so: neither a start nor the unit at boot puts the gate up behind his back.
    const daemon = postern.spawn()
    expect(await daemon.exited).to.include({ status: 78 })
    expect(daemon.lines.join('\n')).to.match(/trial ended and was not confirmed: nothing is guarded/)
    const up = await server.run(posternd('up'))
    expect(up).to.include({ status: 78 })
    expect(await stranger.connect(server.v4, 22)).to.equal('open')
    expect(await server.run(posternd('trial', SHORT))).to.include({ status: 2 })
    await server.must(posternd('down'))
    expect(await server.run(posternd('trial', SHORT))).to.include({ status: 0 })
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })

  it('ends with the daemon clearing up, where it lives', async () => {
    const { server, stranger, postern } = story
    await server.must(posternd('trial', SHORT))
    story.daemon = await postern.start()
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    expect(await story.daemon.exited).to.deep.equal({ status: 0, signal: null })
    expect(story.daemon.lines.join('\n')).to.match(/trial is over and was not confirmed/)
    expect(await server.must(['nft', 'list', 'ruleset'])).to.equal('')
    expect(await stranger.connect(server.v4, 22)).to.equal('open')
  })

  it('comes back with what it had left after somebody flushed the ruleset, and a reload does not make it last', async () => {
    const { server, stranger, postern } = story
    await server.must(posternd('trial', SHORT))
    story.daemon = await postern.start()
    await server.must(['nft', 'flush', 'ruleset'])
    await poll('the gate is back', async () => (await stranger.connect(server.v4, 22)) === 'refused')
    story.daemon.signal('SIGHUP')
    await story.daemon.waitLine(/reloaded /)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await isTakenBack()
  })

  it('says what it cannot do', async () => {
    const { server, postern } = story
    const says = async (what: RegExp, ...words: string[]) => {
      const { status, stderr } = await server.run(posternd(...words))
      expect(stderr).to.match(what)
      expect(status).to.equal(2)
    }
    await says(/TIME is missing: expected posternd trial 5m/, 'trial')
    await says(/TIME "soon"/, 'trial', 'soon')
    await says(/TIME "1"/, 'trial', '1')
    await says(/--address "me": expected an IPv4 or IPv6 address/, 'trial', '5m', '--address', 'me')
    await says(/no trial is on/, 'confirm')
    await server.must(posternd('trial', '5m'))
    await says(/a trial is on for [0-9]+ s yet/, 'trial', '5m')
    await server.must(posternd('down'))
    story.daemon = await postern.start()
    await says(/up for good already/, 'trial', '5m')
  })

  for (const [name, folderName] of [
    ['/run', 'run'],
    ['the disk', 'state'],
  ] as const)
    it(`shuts nothing where ${name} takes no record of it, and says where`, async () => {
      const { server, stranger, folder } = story
      const at = join(folder, folderName)
      const script = `mkdir -p ${at} && mount -t tmpfs -o ro tmpfs ${at} && exec ${posternd('trial', '5m').join(' ')}`
      const { status, stderr } = await server.run(['unshare', '--mount', 'sh', '-c', script])
      expect(stderr)
        .to.include(`posternd: ${at}/monitor/`)
        .and.to.match(/cannot be written: .*, and nothing was shut/)
      expect(status).to.equal(69)
      expect(await stranger.connect(server.v4, 22)).to.equal('open')
      await server.must(posternd('trial', '5m'))
    })

  it('neither begins nor is confirmed with a file that lost its resources, which would open everything', async () => {
    const { server, stranger, postern } = story
    const good = readFileSync(postern.serverConfig, 'utf8')
    postern.configure('')
    const begun = await server.run(posternd('trial', '5m'))
    expect([begun.status, begun.stderr]).to.deep.include(78)
    postern.configure(good)
    await server.must(posternd('trial', '5m'))
    postern.configure('')
    const { status, stderr } = await server.run(posternd('confirm', '--force'))
    expect(stderr).to.match(/\[RESOURCES\] has no resource: expected what is to be guarded/)
    expect(status).to.equal(78)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })
})
