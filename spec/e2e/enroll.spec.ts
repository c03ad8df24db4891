/**
 *     server: posternd init → up → enroll ──one line──▶ client: postern add on an empty HOME → knock → open
 *             rotate: both keys open until the old one's time; remove: the lease is gone
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Child } from '../support/child.js'
import { Installation } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import type { Outcome } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { becomesOpen } from '../support/story.js'

describe('a server and its users, from nothing', () => {
  let lab: Lab
  let postern: Installation
  let daemon: Child
  before(async () => {
    lab = await openLab()
    postern = new Installation(lab)
    await lab.server.echo(22)
  })
  after(() => lab.close())

  const home = (name: string) => join(lab.folder, name)
  /** A user's program, on a home of his own. */
  function client(name: string, words: readonly string[], input = ''): Promise<Outcome> {
    mkdirSync(home(name), { recursive: true, mode: 0o700 })
    const env = { HOME: home(name), XDG_CONFIG_HOME: '', POSTERN_CONFIG: '' }
    return lab.client.run([join(postern.folder, 'bin/postern'), ...words], { env, input })
  }
  async function posternd(...words: readonly string[]): Promise<Outcome> {
    const outcome = await postern.posternd(...words, ...postern.at)
    expect(outcome.status, `posternd ${words.join(' ')}: ${outcome.stderr}`).to.equal(0)
    return outcome
  }
  async function add(name: string, line: string, ...words: readonly string[]): Promise<void> {
    const { status, stderr } = await client(name, ['add', '--name', 'gate', ...words], line)
    expect(status, stderr).to.equal(0)
  }
  async function knock(name: string): Promise<void> {
    const { status, stderr } = await client(name, ['knock', 'gate', 'ssh'])
    expect(status, stderr).to.equal(0)
  }
  const connect = () => lab.client.connect(lab.server.v4, 22)
  const revoke = () => posternd('revoke', 'ssh', lab.client.v4)

  it('init makes a configuration that nft takes and the daemon starts with', async () => {
    const root = join(lab.folder, 'root')
    mkdirSync(root)
    const words = ['init', '--root', root, '--host', lab.server.v4, '--user', 'admin', '--yes']
    const { status, stdout, stderr } = await postern.posternd(...words)
    expect(status, stderr).to.equal(0)
    expect(stdout).to.include('Checked: nft takes the ruleset')
    postern.configure(readFileSync(join(root, 'etc/postern/posternd.conf'), 'utf8'))
    expect(await connect()).to.equal('open')
    await postern.trustClock()
    daemon = await postern.start()
    expect(await connect()).to.equal('refused')
  })

  it('enroll prints one line, and a client with an empty home knocks with it', async () => {
    const { stdout, stderr } = await posternd('enroll', 'alice')
    expect(stderr).to.include('the daemon has read it, it is in force')
    await add('old', stdout)
    await knock('old')
    await becomesOpen(lab.client, lab.server.v4)
    const status = await posternd('status')
    expect(status.stdout).to.match(/ssh \(00000022\) +198\.18\.1\.2 .*alice \(00000002\)/)
    await daemon.waitLine(/opened for 60 s: open ssh \(00000022\) for 198\.18\.1\.2, user alice \(00000002\)/)
  })

  it('connect knows host and resource by the same names', async () => {
    await revoke()
    expect(await connect()).to.equal('refused')
    const { status, stdout, stderr } = await client('old', ['connect', 'gate', 'ssh'], 'hello')
    expect({ status, stdout }, stderr).to.deep.equal({ status: 0, stdout: 'hello' })
  })

  it('rotate leaves the lease, and both keys open', async () => {
    const { stdout } = await posternd('rotate', 'alice')
    expect(await connect(), 'the lease stays').to.equal('open')
    await add('new', stdout)
    for (const name of ['old', 'new']) {
      await revoke()
      expect(await connect()).to.equal('refused')
      await knock(name)
      await becomesOpen(lab.client, lab.server.v4)
    }
  })

  it('when its time is over the old key opens nothing, with no reload, and the log says why', async () => {
    const untilMs = Math.ceil(Date.now() / 1000 + 1) * 1000
    const text = readFileSync(postern.serverConfig, 'utf8')
    writeFileSync(
      postern.serverConfig,
      text.replace(/([0-9A-F]{64}) until \S+/, `$1 until ${new Date(untilMs).toISOString().replace('.000', '')}`),
    )
    process.kill(daemon.pid, 'SIGHUP')
    await daemon.waitLine(/ reloaded /)
    await poll('the time is over', () => Date.now() > untilMs)
    await revoke()
    await knock('old')
    await daemon.waitLine(
      /refused a knock from .*user alice .*its key was changed, and the time for the old one is over/,
    )
    expect(await connect()).to.equal('refused')
    await knock('new')
    await becomesOpen(lab.client, lab.server.v4)
  })

  it('remove ends the lease and takes the key', async () => {
    expect(await connect()).to.equal('open')
    await posternd('remove', 'alice')
    expect(await connect()).to.equal('refused')
    expect(readFileSync(postern.serverConfig, 'utf8')).to.match(/^00000002 = removed: \S+Z \/ name: alice$/m)
    await daemon.waitLine(/ reloaded /)
    const { leases } = await postern.status()
    expect(leases).to.deep.equal([])
  })

  it('the next one does not get the id of who was removed', async () => {
    const { stdout } = await posternd('enroll', 'bob')
    await add('bob', stdout)
    await knock('bob')
    await daemon.waitLine(/opened for 60 s: open ssh \(00000022\) for 198\.18\.1\.2, user bob \(00000003\)/)
    await revoke()
  })

  it('a line of a server that was set up anew is refused for the known one', async () => {
    const text = readFileSync(postern.serverConfig, 'utf8')
    postern.configure(text.replace(/^realm = .*$/m, 'realm = another'))
    const { stdout } = await posternd('enroll', 'admin', '--again')
    const { status, stderr } = await client('new', ['add', '--name', 'gate'], stdout)
    expect(stderr).to.match(/gate is known with realm .*the line is for realm "another": expected --force/)
    expect(status).to.equal(2)
  })
})
