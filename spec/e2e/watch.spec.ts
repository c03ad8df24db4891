/**
 * Watching a server: what its log and its commands say of those who knock.
 *
 *   client ─┐
 *           ├─ server: posternd, port 22 guarded; users with names; a fake journal
 *   stranger┘
 */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseMetrics } from '../daemon/prometheus.js'
import { USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { begin, type Story } from '../support/story.js'

const NAMES = `[USERS]\n${USER} = name: alice\n`
const RESOURCES = [
  '00000001 = port: 22 / name: ssh / timeout: 30 / max-timeout: 60',
  '00000002 = port: 23 / name: other',
]

describe('whoever watches a server', () => {
  let story: Story
  afterEach(() => story.close())

  const posternd = (...words: string[]) => story.postern.posternd(...words, ...story.postern.at.slice(2))

  /** A knock that is authentic and asks for what is not there. */
  async function knockForNothing() {
    await story.postern.knock(story.client, '--resource', '77', story.server.v4)
  }

  it('ends with its reader: a pipe that is shut', async () => {
    story = await begin({ resources: RESOURCES, more: NAMES })
    const { server, client, postern, daemon } = story
    const of = (words: string) => `"${join(postern.folder, 'bin/posternd')}" ${words} ${postern.at.slice(2).join(' ')}`
    const run = (words: string) => server.run(['sh', '-c', `${of(words)} | head -n 1`], { timeoutMs: 20_000 })
    const watched = await run('status --watch --json')
    expect(watched.stdout).to.match(/^\{"running":true/)
    expect(watched.status, 'killed, for it went on').to.equal(0)
    await postern.knock(client, server.v4, '22')
    await daemon!.waitLine(/opened for 30 s/)
    const followed = run('log --follow')
    let isOver = false
    void followed.then(() => (isOver = true))
    await poll('the follower ends', async () => {
      await knockForNothing()
      return isOver
    })
    expect((await followed).stdout).to.match(/opened for 30 s/)
    expect((await followed).status, 'killed, for it went on').to.equal(0)
  })

  it('sees knocks and refusals with names, the last and those to come, in words and as JSON', async () => {
    story = await begin({ resources: RESOURCES, more: NAMES })
    const { server, client, postern, daemon } = story
    const none = await posternd('log')
    expect(none.stderr).to.match(/no knock of a user with a key has come/)
    const following = server.spawn([join(postern.folder, 'bin/posternd'), 'log', '-f', ...postern.at.slice(2)])
    await postern.knock(client, server.v4, '22')
    await daemon!.waitLine(/opened for 30 s: open ssh \(00000001\) for .*, user alice \(0000000A\)/)
    await knockForNothing()
    await daemon!.waitLine(
      /refused a knock from .* \(user alice \(0000000A\), open 00000077\): there is no such resource/,
    )
    await following.waitLine(/opened for 30 s: open ssh /)
    await following.waitLine(/refused a knock from .*alice/)
    following.signal('SIGTERM')

    const both = (await posternd('log')).stdout.trim().split('\n')
    expect(both).to.have.length(2)
    const refused = await posternd('log', '--refused', '--json')
    expect(
      refused.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).to.have.length(1)
    expect(JSON.parse(refused.stdout)).to.include({
      event: 'refused',
      reason: 'resource',
      user: USER,
      userName: 'alice',
      resource: '00000077',
      address: client.v4,
      protocol: 'spa',
      operation: 'open',
    })
    expect((await posternd('log', '--user', 'alice', '-n', '1')).stdout).to.match(/refused a knock/)
    expect((await posternd('log', '--user', 'bob')).stderr).to.match(
      /--user "bob": \S+ has no such user \(it has alice/,
    )
    expect(await posternd('log', '--last', 'all')).to.include({ status: 2 })
  })

  it('finds no daemon where none runs, and is told where else to look', async () => {
    story = await begin({ resources: RESOURCES, daemon: false })
    const { status, stderr } = await posternd('log')
    expect(status).to.equal(69)
    expect(stderr).to.match(/no posternd runs here: .*journalctl -u postern/)
  })

  it('is told the truth about the gate: none, shut without a daemon, none again', async () => {
    story = await begin({ resources: RESOURCES, daemon: false })
    const status = async () => (await story.postern.posternd('status', ...story.postern.at)).stdout
    expect(await status()).to.match(/no gate is up: nothing is guarded/)
    const { status: ended } = await story.postern.posternd('up', ...story.postern.runArguments)
    expect(ended).to.equal(0)
    expect(await status()).to.match(/the gate is up, shut; no posternd runs here/)
    await story.postern.posternd('down', ...story.postern.runArguments)
    expect(await status()).to.match(/no gate is up/)
  })

  it('watches leases with names and the time they have left, and JSON line by line', async () => {
    story = await begin({ resources: RESOURCES, more: NAMES })
    const { server, client, postern } = story
    const watching = server.spawn([join(postern.folder, 'bin/posternd'), 'status', '--watch', ...postern.at])
    await watching.waitLine(/no lease is live/)
    await postern.knock(client, server.v4, '22')
    const [line] = await watching.waitLine(/ssh \(00000001\) +\S+ +[0-9.]+ s +alice \(0000000A\)/)
    expect(line).to.contain(client.v4)
    watching.signal('SIGTERM')
    const json = server.spawn([join(postern.folder, 'bin/posternd'), 'status', '--watch', '--json', ...postern.at])
    const [object] = await json.waitLine(/^\{.*\}$/)
    json.signal('SIGTERM')
    expect(JSON.parse(object!).leases[0]).to.include({ resourceName: 'ssh', userName: 'alice', address: client.v4 })
  })

  it('is told that max-timeout cut what he asked for', async () => {
    story = await begin({ resources: RESOURCES })
    const open = await story.postern.posternd('open', 'ssh', '192.0.2.7', '--lifetime', '1h', ...story.postern.at)
    expect(open.stdout).to.match(/opened for 60 s \(not the 3600 s that were asked for/)
    const less = await story.postern.posternd('open', 'ssh', '192.0.2.8', '--lifetime', '50', ...story.postern.at)
    expect(less.stdout.trim()).to.match(/^opened for [0-9.]+ s$/)
  })

  it('gets figures for Prometheus, in a file that is there whole or not at all, and postern_up 0 of a dead daemon', async () => {
    story = await begin({ resources: RESOURCES, more: NAMES })
    const { server, client, postern, folder } = story
    await postern.knock(client, server.v4, '22')
    await poll('it is open', async () => (await postern.status()).leases.length === 1)
    const file = join(folder, 'postern.prom')
    const metrics = () => posternd('metrics', '--output', file)
    const figures = async () => {
      expect(await metrics()).to.include({ status: 0, stdout: '' })
      return parseMetrics(readFileSync(file, 'utf8'))
    }
    const running = await figures()
    expect(running.get('postern_up')).to.equal(1)
    expect(running.get('postern_leases{resource="ssh"}')).to.equal(1)
    expect(running.get('postern_leases{resource="other"}')).to.equal(0)
    expect(running.get('postern_requests_total{outcome="opened"}')).to.equal(1)
    expect(statSync(file).mode & 0o777).to.equal(0o644)
    await story.daemon!.kill9()
    await poll('the daemon is gone', async () => (await figures()).get('postern_up') === 0)
    expect(readdirSync(folder).filter((name) => name.includes('.new'))).to.deep.equal([])
    expect(await posternd('metrics', '--output', join(folder, 'nowhere/x.prom'))).to.include({ status: 1 })
  })

  it('reads JSON lines where the configuration says so', async () => {
    story = await begin({ resources: RESOURCES, more: `${NAMES}[LOG]\nformat = json\n`, daemon: false })
    const daemon = story.postern.spawn()
    await daemon.waitLine(/"message":"ready: /)
    await story.postern.knock(story.client, story.server.v4, '22')
    const [line] = await daemon.waitLine(/\{.*"opened for .*\}/)
    expect(JSON.parse(line!.slice(line!.indexOf('{')))).to.include({
      level: 'info',
      event: 'opened',
      user: USER,
      user_name: 'alice',
      resource: '00000001',
      resource_name: 'ssh',
      address: story.client.v4,
      remaining_ms: '30000',
    })
  })

  it('finds fields in the journal, and lines on stderr where the journal is away', async () => {
    story = await begin({ resources: RESOURCES, more: NAMES, daemon: false })
    const { server, client, postern, folder } = story
    mkdirSync('/run/systemd/journal', { recursive: true })
    const heard = join(folder, 'journal')
    const journal = server.spawn(['perl', '-MSocket', '-e', JOURNAL, heard])
    await journal.waitLine(/listening/)
    // As systemd says it: the device and inode of stderr.
    const asService = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"'
    const posternd = [join(postern.folder, 'bin/posternd'), 'run', ...postern.runArguments]
    const daemon = server.spawn(['sh', '-c', asService, 'sh', ...posternd])
    const entries = () => readFileSync(heard, 'utf8').split('\0')
    await poll('it is ready', () => entries().some((entry) => entry.includes('MESSAGE=ready: ')))
    await knockForNothing()
    const refusal = () => entries().find((entry) => entry.includes('refused a knock'))
    await poll('the refusal is in the journal', () => refusal() !== undefined)
    expect(refusal()!.split('\n')).to.include.members([
      'PRIORITY=4',
      'SYSLOG_IDENTIFIER=posternd',
      'MESSAGE_ID=e4c2f8190b7d4a6e95f13da8c07b62d9',
      'POSTERN_EVENT=refused',
      'POSTERN_REASON=resource',
      `POSTERN_USER=${USER}`,
      'POSTERN_USER_NAME=alice',
      'POSTERN_RESOURCE=00000077',
      `POSTERN_ADDRESS=${client.v4}`,
    ])
    journal.signal('SIGKILL')
    await journal.exited
    await knockForNothing()
    await daemon.waitLine(/^<4>refused a knock from /)
  })
})

/** A journal that keeps what it hears in a file, entries apart by a zero byte. */
const JOURNAL = `
my $path = '/run/systemd/journal/socket'; unlink $path;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die "bind: $!"; chmod 0777, $path;
open(my $f, '>', $ARGV[0]) or die; $f->autoflush(1); $| = 1; print "listening\\n";
while (defined recv($s, my $m, 65536, 0)) { print $f $m, "\\0" }`
