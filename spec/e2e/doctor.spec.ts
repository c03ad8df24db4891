/**
 * The evening it does not work: each cause is made for real, and the doctor of the server names it in one sentence.
 *
 *   client ── server: posternd (or not), a host firewall of its own, a service on port 22 (or not)
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { serverFile, USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { type Beginning, begin, type Story } from '../support/story.js'

const RESOURCES = ['00000001 = port: 22 / name: ssh / timeout: 30']
const NAMES = `[USERS]\n${USER} = name: alice\n`

interface Found {
  readonly findings: readonly { readonly code: string; readonly sentence: string; readonly mend: string }[]
}

describe('the doctor of a server', () => {
  let story: Story
  afterEach(() => story.close())

  async function given(more: Beginning = {}) {
    story = await begin({ resources: RESOURCES, more: NAMES, ...more })
  }

  const words = () => [...story.postern.at, '--state-dir', join(story.folder, 'state')]

  async function findings(): Promise<Found['findings']> {
    const { status, stdout, stderr } = await story.postern.posternd('doctor', '--json', ...words())
    expect(stderr).to.equal('')
    const { findings: found } = JSON.parse(stdout) as Found
    expect(status).to.equal(found.length === 0 ? 0 : 1)
    return found
  }

  /** There is one cause, and the doctor says so. */
  async function finds(code: string, sentence: RegExp, mend: RegExp) {
    const found = await findings()
    expect(found.map((one) => one.code)).to.deep.equal([code])
    expect(found[0]!.sentence).to.match(sentence)
    expect(found[0]!.mend).to.match(mend)
  }

  /** As an administrator who does what the sentence says. */
  async function mends() {
    for (const { mend } of await findings()) await story.server.must(['sh', '-c', mend])
    expect(await findings()).to.deep.equal([])
  }

  async function lets(isIn: boolean) {
    const { postern, client, server } = story
    const within = isIn ? '10' : '1'
    const { status } = await postern.postern(client, 'knock', '--wait', '--timeout', within, server.v4, '22')
    expect(status === 0, 'a knock opens').to.equal(isIn)
  }

  const rules = (text: string) => story.server.must(['nft', text])

  it('finds nothing where nothing is wrong, and says what it looked at', async () => {
    await given()
    await lets(true)
    const { status, stdout } = await story.postern.posternd('doctor', ...words())
    expect(stdout).to.match(/^nothing wrong was found on this side: daemon, gate, firewall/)
    expect(status).to.equal(0)
  })

  it('says that no daemon runs, and whether the gate is up', async () => {
    await given({ daemon: false })
    await finds('daemon', /the gate is not up and no daemon runs/, /^systemctl start postern$/)
    await story.postern.posternd('up', ...words())
    await finds(
      'daemon',
      /the gate is up and shut, but no daemon runs, so no knock is heard/,
      /systemctl start postern/,
    )
    const { status, stdout } = await story.postern.posternd('doctor', ...words())
    expect(status).to.equal(1)
    expect(stdout.trim().split('\n')).to.have.length(2)
  })

  it('says that a trial is on, and that one is over', async () => {
    await given({ daemon: false })
    await story.server.must([join(story.postern.folder, 'bin/posternd'), 'trial', '10s', ...words()], {
      env: { POSTERN_NODE: '/run/node' },
    })
    expect((await findings()).map(({ code }) => code)).to.deep.equal(['daemon', 'trial'])
    await poll('the trial is over', async () => (await findings())[0]?.code === 'trial-over', { within: 15_000 })
    await finds('trial-over', /ended and was not confirmed, so nothing is guarded/, /posternd trial 5m/)
  })

  it('says what is wrong with the configuration, and with its permissions', async () => {
    await given()
    const { postern } = story
    postern.configure(serverFile(['00000001 = port: 222222']))
    await finds('config', /cannot be used: .*posternd\.conf:\d+: .*222222/, /posternd check/)
    postern.configure(serverFile(RESOURCES))
    chmodSync(postern.serverConfig, 0o666)
    await finds('config-permission', /posternd\.conf.*666/, /./)
  })

  it('says that an edit waits for its reload, and posternd up says so too', async () => {
    await given({ services: [22, 80] })
    const { postern, stranger, server } = story
    const up = () => postern.posternd('up', ...words())
    expect((await up()).stderr).to.equal('')
    postern.configure(serverFile([...RESOURCES, '00000002 = port: 80 / timeout: 30'], { more: NAMES }))
    const sentence = /posternd\.conf was changed after the daemon read it: what it says now is not in force/
    await finds('not-reloaded', sentence, /^posternd check && systemctl reload postern$/)
    const { status, stdout, stderr } = await up()
    expect(stdout).to.equal('up: posternd runs, and keeps the gate itself\n')
    expect(stderr).to.match(/^warning: .* is not in force: posternd check && systemctl reload postern\n$/)
    expect(status).to.equal(0)
    expect(await stranger.connect(server.v4, 80), 'the daemon is not told behind his back').to.equal('open')
    story.daemon!.signal('SIGHUP')
    await poll('it is read', async () => (await findings()).length === 0)
    expect(await stranger.connect(server.v4, 80)).to.equal('refused')
    postern.configure('nonsense')
    expect((await up()).stderr).to.match(
      /^warning: the daemon goes by what it read before, for .*posternd\.conf:1: .*: posternd check\n$/,
    )
  })

  it('says until when knocks are refused, because the replay journal is not trusted', async () => {
    await given({ daemon: false })
    rmSync(join(story.folder, 'state'), { recursive: true })
    story.daemon = await story.postern.start()
    await poll('the listener has said so', async () => (await findings()).length > 0)
    await finds(
      'untrusted',
      /journal is not trusted, so knocks are refused for \d+ s more, until \d{4}-/,
      /postern knock|trust-clock/,
    )
  })

  it('says which chain drops the knock ahead of postern', async () => {
    await given()
    await rules(
      'table ip early { chain first { type filter hook prerouting priority raw; udp dport 5000-6000 drop comment "noise"; }; }',
    )
    await lets(false)
    await finds(
      'knock-dropped',
      /chain first of table ip early \("noise"\) drops UDP port 5800 ahead of postern/,
      /nft insert rule ip early first/,
    )
    await mends()
    await lets(true)
  })

  it('says which chain drops who has a lease, behind postern and ahead of it', async () => {
    await given()
    await rules(
      'table inet filter { chain input { type filter hook input priority filter; policy drop; ct state established,related accept; iif lo accept; jump more; }; chain more { tcp dport { 80, 443 } accept; }; }',
    )
    await lets(false)
    await finds(
      'dropped-behind',
      /policy of chain input of table inet filter drops TCP port 22 \(resource ssh \(00000001\)\) also for who has a lease/,
      /./,
    )
    await mends()
    await lets(true)
    await rules('table ip6 raw { chain pre { type filter hook prerouting priority -300; meta l4proto tcp drop; }; }')
    await finds('dropped-ahead', /chain pre of table ip6 raw drops TCP port 22/, /./)
  })

  it('claims nothing of rules that are for some only', async () => {
    await given()
    await rules(
      'table inet filter { set bad { type ipv4_addr; }; chain pre { type filter hook prerouting priority raw; ip saddr @bad drop; }; chain input { type filter hook input priority 0; policy drop; ip saddr 198.18.0.0/15 tcp dport 22 accept; ct state invalid drop; }; }',
    )
    expect(await findings()).to.deep.equal([])
  })

  it('says who turns connection tracking off', async () => {
    await given()
    await rules('table inet fast { chain pre { type filter hook prerouting priority raw; tcp dport 22 notrack; }; }')
    await finds(
      'untracked',
      /chain pre of table inet fast turns connection tracking off for TCP port 22/,
      /nft delete rule inet fast pre handle \d+/,
    )
    await mends()
  })

  it('says that nothing listens', async () => {
    await given({ services: [] })
    await finds('no-service', /nothing listens on TCP port 22 \(resource ssh \(00000001\)\)/, /ss -ltnp/)
    await story.server.echo(22)
    expect(await findings()).to.deep.equal([])
  })

  it('says that nobody keeps the clock right: a cause where something does not work, and else a word', async () => {
    await given()
    const folder = join(story.folder, 'bin')
    mkdirSync(folder)
    writeFileSync(join(folder, 'timedatectl'), '#!/bin/sh\necho no\n', { mode: 0o755 })
    const argv = [join(story.postern.folder, 'bin/posternd'), 'doctor', ...words()]
    const env = { POSTERN_NODE: '/run/node', PATH: `${folder}:${process.env['PATH']}` }
    const asked = () => story.server.run(argv, { env })
    const well = await asked()
    expect(well.stdout)
      .to.match(/^nothing wrong was found/)
      .and.match(
        /^note: nobody keeps this machine’s clock right, .*more than 60 s off is refused: timedatectl set-ntp true$/m,
      )
    expect(well.status).to.equal(0)
    await story.daemon!.stop()
    const ill = await asked()
    expect(ill.stdout).to.match(
      /no daemon runs[\s\S]*nobody keeps this machine’s clock right, .*\n {4}timedatectl set-ntp true\n$/,
    )
    expect(ill.status).to.equal(1)
  })

  it('says who was refused and why, until he is let in', async () => {
    await given()
    const { postern, client, server } = story
    await postern.knock(client, '--resource', '77', server.v4)
    await poll('he was refused', async () => (await findings()).length > 0)
    await finds(
      'refused-resource',
      /^user alice \(0000000A\) was refused \d+ s ago, from [0-9.]+: there is no such resource$/,
      /posternd log --refused --user alice$/,
    )
    await lets(true)
    expect(await findings()).to.deep.equal([])
    const stranger = await postern.posternd('log', '--user', 'alise', ...postern.at.slice(2))
    expect(stranger.status).to.equal(2)
    expect(stranger.stderr).to.match(/--user "alise": .* has no such user \(it has alice\); did you mean "alice"\?/)
  })

  describe('in chain mode', () => {
    const CHAIN = `${NAMES}[NFTABLES]\nfamily = inet\ntable = filter\nchain-input = LEASES\n[LETMEIN]\nenabled = no\n`
    async function filter(before: string, policy = 'drop') {
      await given({ more: CHAIN, daemon: false })
      await rules(
        `table inet filter { chain LEASES { }; chain input { type filter hook input priority 0; policy ${policy}; ${before} jump LEASES; }; }`,
      )
      story.daemon = await story.postern.start()
    }

    it('finds nothing in a ruleset that drops, and accepts what is established', async () => {
      await filter('ct state established,related accept; iif lo accept;')
      await lets(true)
      expect(await findings()).to.deep.equal([])
    })

    it('says which static rule stands in front', async () => {
      await filter(
        'ct state vmap { established : accept, related : accept, invalid : drop }; tcp dport { 22, 80 } accept;',
      )
      expect(await story.stranger.connect(story.server.v4, 22)).to.equal('open')
      await finds(
        'open-to-all',
        /TCP port 22 .* is open to everybody: chain input of table inet filter accepts it without a lease/,
        /nft delete rule inet filter input handle \d+/,
      )
      await mends()
      expect(await story.stranger.connect(story.server.v4, 22)).not.to.equal('open')
    })

    it('says that the policy accepts', async () => {
      await filter('ct state established accept;', 'accept')
      await finds('open-to-all', /the policy of chain input of table inet filter accepts it/, /policy drop/)
      await mends()
    })

    it('says that established connections are not accepted', async () => {
      await filter('iif lo accept;')
      await finds(
        'established',
        /chain input of table inet filter does not accept established connections, so answers to what this host itself asks/,
        /ct state established,related accept/,
      )
      await mends()
    })

    it('says that docker publishes the port past the chain', async () => {
      await filter('ct state established accept;')
      await rules(
        'table ip nat { chain PREROUTING { type nat hook prerouting priority dstnat; tcp dport 22 dnat to 172.17.0.2:22; }; }',
      )
      await finds(
        'forwarded',
        /is sent on to a container or another host ahead of chain LEASES, so it is open to everybody/,
        /mode = guard/,
      )
      const { status, stderr } = await story.postern.posternd('check', '--config', story.postern.serverConfig)
      expect(stderr, 'before anything is started, too').to.match(/^warning: TCP port 22 .* is sent on to a container/m)
      expect(status).to.equal(0)
    })
  })
})
