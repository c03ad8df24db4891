/**
 *     client ── lease ──▶ server: posternd is killed, stopped, restarted, reloaded, taken down; others flush the rules
 *        whatever happens: the port is shut in time, and never open for the stranger
 */
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { LATE_MS } from '../../lib/daemon/recheck.js'
import { clientFile, KEY, serverFile } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { becomesOpen, becomesShut, begin, SSH, type Story, withinLease } from '../support/story.js'

/** What systemd's socket hears, a line each. */
const HEARD_BY_SYSTEMD = `use Socket; $| = 1; socket my $s, AF_UNIX, SOCK_DGRAM, 0; bind $s, pack_sockaddr_un $ARGV[0];
  print "hears\\n"; while (defined recv $s, my $text, 4096, 0) { print "$text\\n" }`

describe('a lease', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin()
  })
  afterEach(() => story.close())

  function open(): Promise<void> {
    const { client, server, postern } = story
    return withinLease(async () => {
      await postern.knock(client, server.v4, '22')
      await becomesOpen(client, server.v4)
    })
  }

  it('ends in time when the daemon was killed, and nothing of the daemon lives on', async () => {
    const { client, stranger, server, daemon } = story
    await open()
    const below = daemon!.descendants()
    expect(below).to.have.length(2)

    await daemon!.kill9()

    await poll('monitor and listener are gone', () => below.every((pid) => !isAlive(pid)))
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await becomesShut(client, server.v4)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })

  it('is kept over a restart, with what it had left', async () => {
    const { client, stranger, server, postern, daemon } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
    const [before] = (await postern.status()).leases
    await daemon!.kill9()
    story.daemon = await postern.start()
    const [lease] = (await postern.status()).leases
    expect(lease).to.include({ resource: '00000001', address: client.v4, user: '0000000A' })
    expect(lease!.remainingMs).to.be.within(1, before!.remainingMs)
    expect(await client.connect(server.v4, 22)).to.equal('open')
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
  })

  for (const [change, configuration] of [
    ['the key', serverFile([SSH]).replace(KEY, 'D4'.repeat(32))],
    ['the prefix', serverFile([`${SSH} / prefix: 24/64`])],
  ] as const)
    it(`is gone with the next start where ${change} was changed while no daemon ran`, async () => {
      const { client, stranger, server, postern, daemon } = story
      await postern.knock(client, server.v4, '22', '--lifetime', '60')
      await becomesOpen(client, server.v4)
      await daemon!.stop()
      postern.configure(configuration)
      story.daemon = await postern.start()
      expect((await postern.status()).leases).to.deep.equal([])
      expect(await client.connect(server.v4, 22)).to.equal('refused')
      expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    })

  it('runs out by itself after SIGTERM, which leaves the gate shut', async () => {
    const { client, stranger, server, postern, daemon } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '7')
    await becomesOpen(client, server.v4)
    expect(await daemon!.stop()).to.deep.equal({ status: 0, signal: null })
    expect(await client.connect(server.v4, 22)).to.equal('open')
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await becomesShut(client, server.v4)
  })

  it('is put back after somebody flushed the ruleset, and strangers stay out', async () => {
    const { client, stranger, server, postern } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
    await server.must(['nft', 'flush', 'ruleset'])
    await becomesShut(stranger, server.v4)
    expect(await client.connect(server.v4, 22)).to.equal('open')
    const [lease] = (await postern.status()).leases
    expect(lease!.remainingMs).to.be.within(20_000, 30_000)
  })
})

describe('posternd', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin()
  })
  afterEach(() => story.close())

  it('ends leases with itself where --close says so', async () => {
    const { client, server, postern } = story
    await story.daemon!.stop()
    story.daemon = await postern.start(['--close'])
    await postern.knock(client, server.v4, '22', '--lifetime', '60')
    await becomesOpen(client, server.v4)
    await story.daemon.stop()
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })

  it('does not say that it ended them where the firewall refuses', async () => {
    const { server, postern } = story
    const nft = join(postern.folder, 'nft')
    symlinkSync((await server.must(['which', 'nft'])).trim(), nft)
    postern.configure(serverFile(['00000001 = port: 22'], { more: `[NFTABLES]\nexe = ${nft}\n` }))
    await story.daemon!.stop()
    story.daemon = await postern.start(['--close'])
    rmSync(nft)
    await server.must(['nft', 'flush ruleset'])
    await story.daemon.waitLine(/the rules could not be put back/)
    expect(await story.daemon.stop()).to.deep.equal({ status: 69, signal: null })
    await story.daemon.waitLine(/ended, but the leases could not be revoked and run out: .*nft/)
  })

  it('leaves nothing in the kernel after `down`, and nothing of others is touched', async () => {
    const { server, stranger, postern, daemon } = story
    await server.must(['nft', 'add table inet host; add chain inet host c { type filter hook input priority 5; }'])
    await daemon!.stop()
    const { status, stderr } = await postern.posternd('down', ...postern.at)
    expect(status, stderr).to.equal(0)
    expect(await server.must(['nft', 'list', 'tables'])).to.equal('table inet host\n')
    expect(await stranger.connect(server.v4, 22)).to.equal('open')
  })

  it('takes a good configuration on SIGHUP and keeps the leases', async () => {
    const { client, server, stranger, postern, daemon } = story
    await server.echo(8022)
    expect(await stranger.connect(server.v4, 8022)).to.equal('open')
    await postern.knock(client, server.v4, '22', '--lifetime', '60')
    await becomesOpen(client, server.v4)
    const both = ['00000001 = port: 22 / timeout: 2 / max-timeout: 60', '00000002 = port: 8022 / timeout: 30']
    postern.configure(serverFile(both))
    postern.configureClient(clientFile(both))
    daemon!.signal('SIGHUP')
    await daemon!.waitLine(/reloaded .*: 1 users?, 2 resources/)
    expect(await stranger.connect(server.v4, 8022)).to.equal('refused')
    expect(await client.connect(server.v4, 22)).to.equal('open')
    await postern.knock(client, server.v4, '8022')
    await becomesOpen(client, server.v4, 8022)
  })

  it('changes nothing on SIGHUP where the file is bad, and says where', async () => {
    const { client, server, stranger, postern, daemon } = story
    postern.configure(serverFile(['00000001 = port: 2222222']))
    daemon!.signal('SIGHUP')
    await daemon!.waitLine(/posternd\.conf:8: .*"2222222": expected 1–65535/)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
  })

  it('changes nothing on SIGHUP where nothing is left of the file', async () => {
    const { client, server, stranger, postern, daemon } = story
    postern.configure('')
    daemon!.signal('SIGHUP')
    await daemon!.waitLine(/nothing was changed: .*posternd\.conf has no resource left/)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
  })

  it('takes a removed user’s lease away with the reload', async () => {
    const { client, server, postern, daemon } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '60')
    await becomesOpen(client, server.v4)
    const other = serverFile(['00000001 = port: 22']).replace(/^0000000A = .*$/m, `0000000B = ${'D4'.repeat(32)}`)
    postern.configure(other)
    daemon!.signal('SIGHUP')
    await daemon!.waitLine(/reloaded/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect((await postern.status()).leases).to.deep.equal([])
  })

  for (const [what, stderr] of [
    ['full', '2>/dev/full'],
    ['shut', '2>&-'],
  ] as const)
    it(`goes on where the log is ${what}: it opens, and puts back what others flush`, async () => {
      const { client, server, stranger, postern } = story
      await story.daemon!.stop()
      const run = `exec ${postern.folder}/bin/posternd run ${postern.runArguments.join(' ')} ${stderr}`
      story.daemon = server.spawn(['sh', '-c', run], { POSTERN_NODE: '/run/node' })
      const below = () => story.daemon!.descendants()
      await poll('it serves', async () => (await postern.status()).running)
      const before = below()
      await poll('a knock opens', async () => {
        await postern.knock(client, server.v4, '22', '--lifetime', '60')
        return (await client.connect(server.v4, 22)) === 'open'
      })
      await server.must(['nft', 'flush', 'ruleset'])
      await becomesShut(stranger, server.v4)
      expect(await client.connect(server.v4, 22)).to.equal('open')
      expect(below()).to.deep.equal(before)
    })

  it('does not tell systemd that it ends where monitor and listener begin anew, and tells it when it does', async () => {
    const { server, postern } = story
    await story.daemon!.stop()
    const socket = join(story.folder, 'notify')
    const told = server.spawn(['perl', '-e', HEARD_BY_SYSTEMD, socket])
    await told.waitLine(/^hears$/)
    story.daemon = server.spawn([join(postern.folder, 'bin/posternd'), 'run', ...postern.runArguments], {
      POSTERN_NODE: '/run/node',
      NOTIFY_SOCKET: socket,
    })
    await told.waitLine(/^READY=1$/)
    const [, listener] = story.daemon.descendants()
    process.kill(listener!, 'SIGSTOP')
    const silent = /the listener has not answered/
    await story.daemon.waitLine(silent)
    const again = story.daemon.lines.findIndex((line) => silent.test(line))
    await story.daemon.waitLine(/ ready: /, undefined, again)
    await poll('it is ready once more', () => told.lines.filter((line) => line === 'READY=1').length === 2)
    expect(told.lines).not.to.include('STOPPING=1')
    await story.daemon.stop()
    await told.waitLine(/^STOPPING=1$/)
  })

  it('opens nothing for a knock that waited while its monitor stood still', async () => {
    const { client, server, postern, daemon } = story
    const answeredMsAgo = async () => {
      const { stdout } = await postern.posternd('status', '--json', ...postern.at)
      return (JSON.parse(stdout) as { listenerAnsweredMsAgo: number }).listenerAnsweredMsAgo
    }
    // Else it might begin anew instead, and forget the knock by that.
    await poll('the listener has just answered', async () => (await answeredMsAgo()) < 500)
    const [monitor] = daemon!.descendants()
    process.kill(monitor!, 'SIGSTOP')
    await postern.knock(client, server.v4, '22', '--lifetime', '60')
    const end = performance.now() + LATE_MS + 500
    await poll('its time is over', () => performance.now() > end)
    process.kill(monitor!, 'SIGCONT')
    await daemon!.waitLine(/refused \(it waited too long to be done: 1\d s\): open 00000001 for 198\.18\.1\.2/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
  })

  it('hears what was sent while its listener was away', async () => {
    const { client, server, postern, daemon } = story
    await postern.knock(client, server.v4, '22', '--lifetime', '30')
    await becomesOpen(client, server.v4)
    const [, listener] = daemon!.descendants()
    process.kill(listener!, 'SIGKILL')
    await postern.knock(client, server.v6, '22', '--lifetime', '30')
    await becomesOpen(client, server.v6)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
