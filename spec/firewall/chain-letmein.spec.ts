/**
 * Chain mode as letmein's administrators know it: their chains, their comments, the control port over TCP, and what
 * letmeinfwd left behind.
 *
 *     client ── server: table filter { INPUT: established accept, jump LETMEIN-INPUT, drop; FORWARD, OUTPUT alike } ── stranger
 */
import { expect } from 'chai'
import type { Resource, ServerConfig } from '../../lib/config/types.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const JUMP = 0x30
const JUMP_ALL = 0x31

type Jumps = Extract<Resource['target'], { kind: 'jump' }>['jumps']
const jumps = (matchSource: boolean): Jumps => [
  { hook: 'input', chain: 'TGT-IN', matchSource },
  { hook: 'forward', chain: 'TGT-FWD', matchSource },
  { hook: 'output', chain: 'TGT-OUT', matchSource },
]
const resources: Choices['resources'] = [
  { id: SSH },
  { id: JUMP, target: { kind: 'jump', jumps: jumps(true) } },
  { id: JUMP_ALL, target: { kind: 'jump', jumps: jumps(false) } },
]
const chain = {
  family: 'inet',
  table: 'filter',
  input: 'LETMEIN-INPUT',
  forward: 'LETMEIN-FORWARD',
  output: 'LETMEIN-OUTPUT',
} as const
const configFor = (letmein: Partial<ServerConfig['letmein']> = {}) =>
  serverConfig({ resources, letmein: { enabled: true, ...letmein }, firewall: { mode: 'chain', chain } })
const RULESET = `table inet filter {
  chain LETMEIN-INPUT { }
  chain LETMEIN-FORWARD { }
  chain LETMEIN-OUTPUT { }
  chain OTHER { tcp dport 79 accept comment "mine/LETMEIN"; }
  chain TGT-IN { tcp dport 81 accept; }
  chain TGT-FWD { tcp dport 82 accept; }
  chain TGT-OUT { udp dport 83 accept; }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump LETMEIN-INPUT
  }
  chain FORWARD {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    jump LETMEIN-FORWARD
  }
  chain OUTPUT {
    type filter hook output priority 0; policy accept;
    jump LETMEIN-OUTPUT
    udp dport 83 drop
  }
}
`
/** What letmeinfwd 12.6 makes: control ports, a lease, jumps with and without a source. */
const LEFTOVERS = [
  'LETMEIN-INPUT udp dport 5800 accept comment "any/port/5800/UDP/accept/LETMEIN"',
  'LETMEIN-INPUT ip saddr 198.18.2.2 tcp dport 22 counter accept comment "::ffff:198.18.2.2/port/22/TCP/accept/LETMEIN"',
  'LETMEIN-INPUT ip6 saddr fd18:2::2 tcp dport 22 counter accept comment "fd18:2::2/port/22/TCP/accept/LETMEIN"',
  'LETMEIN-FORWARD ip saddr 198.18.2.2 jump TGT-FWD comment "::ffff:198.18.2.2/00000030/TGT-FWD/LETMEIN"',
  'LETMEIN-OUTPUT jump TGT-OUT comment "::ffff:198.18.2.2/00000031/TGT-OUT/LETMEIN"',
]

describe('chain mode, for who comes from letmein', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 79, 81, 5800]) await lab.server.echo(port)
    await lab.stranger.echo(82)
    for (const port of [83, 84]) await lab.client.listen(port)
    await lab.server.sysctl({ 'net.ipv4.ip_forward': 1 })
    await lab.client.must(['ip', 'route', 'add', lab.stranger.v4, 'dev', 'to-server', 'via', lab.server.v4])
    await lab.stranger.must(['ip', 'route', 'add', lab.client.v4, 'dev', 'to-server', 'via', lab.server.v4])
    host = await managerIn(lab)
  })
  beforeEach(() => lab.server.must(['nft', '-f', '-'], { input: RULESET }))
  afterEach(async () => {
    await host.manager.remove()
    await nft('flush', 'ruleset')
  })
  after(() => lab.close())

  const nft = (...args: string[]) => lab.server.must(['nft', ...args])
  const start = async (config = configFor(), keep = false) => {
    await host.make(config)
    await host.manager.start({ keep })
  }
  const perform = async (operation: 'open' | 'revoke', resource: number, address: string) =>
    (await host.manager.perform([{ operation, user: USER, resource, address, lifetimeMs: 0 }]))[0]!
  const commentsIn = async (name: string) =>
    [...(await nft('list', 'chain', 'inet', 'filter', name)).matchAll(/comment "(.*)"/g)].map(([, text]) => text)

  it('rules and leases have comments in letmein’s form', async () => {
    await start()
    for (const name of ['INPUT', 'FORWARD', 'OUTPUT']) {
      const hook = { INPUT: 'IN', FORWARD: 'FWD', OUTPUT: 'OUT' }[name]
      expect(new Set(await commentsIn(`LETMEIN-${name}`)), name).to.deep.equal(
        new Set([
          ...(name === 'INPUT' ? ['postern/00000016/port/22/TCP/accept/LETMEIN'] : []),
          `postern/00000030/TGT-${hook}/LETMEIN`,
          `postern/00000031/TGT-${hook}/LETMEIN`,
        ]),
      )
    }
    await perform('open', SSH, lab.client.v4)
    await perform('open', SSH, lab.client.v6)
    const listed = await nft('list', 'table', 'inet', 'filter')
    expect(listed).to.include(`user=00000001 resource=00000016 ::ffff:${lab.client.v4}/LETMEIN`)
    expect(listed).to.include(`user=00000001 resource=00000016 ${lab.client.v6}/LETMEIN`)
    await host.make(configFor())
    await host.manager.start({ keep: true })
    expect((await host.manager.leases()).map(({ user }) => user)).to.deep.equal([USER, USER])
  })

  it('letmein’s control port over TCP is open to everybody, as long as letmein is on', async () => {
    const tcp = configFor({ ports: { udp: [], tcp: [5800, 5801] } })
    await start()
    expect(await lab.stranger.connect(lab.server.v4, 5800)).to.equal('silent')
    await host.manager.reload(tcp)
    expect(await commentsIn('LETMEIN-INPUT')).to.include.members([
      'postern/any/port/5800/TCP/accept/LETMEIN',
      'postern/any/port/5801/TCP/accept/LETMEIN',
    ])
    for (const to of [lab.server.v4, lab.server.v6]) expect(await lab.stranger.connect(to, 5800)).to.equal('open')
    expect(await host.manager.verify()).to.equal('intact')
    await nft('flush', 'chain', 'inet', 'filter', 'LETMEIN-INPUT')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await lab.stranger.connect(lab.server.v4, 5800)).to.equal('open')
    await host.manager.reload(configFor({ enabled: false, ports: { udp: [], tcp: [5800] } }))
    expect(await lab.stranger.connect(lab.server.v4, 5800)).to.equal('silent')
    await host.manager.remove()
    await start({ ...tcp, firewall: { ...tcp.firewall, mode: 'guard' } })
    expect(await commentsIn('LETMEIN-INPUT')).to.deep.equal([])
  })

  it('what letmeinfwd left in these chains goes, which would have kept ports open for ever; it is said', async () => {
    await nft(LEFTOVERS.map((rule) => `add rule inet filter ${rule}`).join(';'))
    await nft('add rule inet filter LETMEIN-INPUT tcp dport 79 accept comment "not for LETMEIN"')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('open')
    const since = host.child.lines.length
    await start()
    for (const to of [lab.server.v4, lab.server.v6]) expect(await lab.stranger.connect(to, 22)).to.equal('silent')
    for (const name of ['INPUT', 'FORWARD', 'OUTPUT'])
      expect((await commentsIn(`LETMEIN-${name}`)).filter((comment) => /^(any|::ffff:|fd18)/.test(comment!))).to.be
        .empty
    expect(await commentsIn('OTHER')).to.deep.equal(['mine/LETMEIN'])
    expect(await lab.stranger.connect(lab.server.v4, 79)).to.equal('open')
    const said = host.child.lines.slice(since).filter((line) => /letmeinfwd/.test(line))
    expect(said.slice(0, -1)).to.deep.equal(
      LEFTOVERS.map((rule) => `removed letmeinfwd's rule in chain ${/^\S+/.exec(rule)} ${/"[^"]*"$/.exec(rule)}`),
    )
    expect(said.at(-1)).to.match(/^letmeinfwd's rules would never have ended/)
    expect(await host.manager.verify()).to.equal('intact')
  })

  it('and goes again when a ruleset that was saved with it is loaded', async () => {
    await nft(LEFTOVERS.map((rule) => `add rule inet filter ${rule}`).join(';'))
    const saved = await nft('list', 'ruleset')
    await start()
    await perform('open', SSH, lab.client.v4)
    await lab.server.must(['nft', '-f', '-'], { input: `flush ruleset\n${saved}` })
    expect(await host.manager.verify()).to.equal('restored')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('silent')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
  })

  it('in guard mode the administrator’s chains are left alone, whatever is in them', async () => {
    await nft(LEFTOVERS.map((rule) => `add rule inet filter ${rule}`).join(';'))
    const before = await nft('list', 'table', 'inet', 'filter')
    await start({ ...configFor(), firewall: { ...configFor().firewall, mode: 'guard' } })
    expect(await nft('list', 'table', 'inet', 'filter')).to.equal(before)
  })

  it('jumps in input and forward are for the source, or for everybody, while a lease lives', async () => {
    const { client, stranger, server } = lab
    await start()
    const input = async () => [await client.connect(server.v4, 81), await stranger.connect(server.v4, 81)]
    const forward = () => client.connect(stranger.v4, 82)
    expect([...(await input()), await forward()]).to.deep.equal(['silent', 'silent', 'silent'])
    await perform('open', JUMP, client.v4)
    expect([...(await input()), await forward()]).to.deep.equal(['open', 'silent', 'open'])
    await perform('revoke', JUMP, client.v4)
    await perform('open', JUMP, stranger.v4)
    expect([...(await input()), await forward()]).to.deep.equal(['silent', 'open', 'silent'])
    await perform('revoke', JUMP, stranger.v4)
    await perform('open', JUMP_ALL, stranger.v4)
    expect([...(await input()), await forward()]).to.deep.equal(['open', 'open', 'open'])
    await perform('revoke', JUMP_ALL, stranger.v4)
    expect([...(await input()), await forward()]).to.deep.equal(['silent', 'silent', 'silent'])
  })

  it('a jump in output is for all that the host sends; with a source, for what it sends as that source', async () => {
    const { client, server } = lab
    await start()
    const answers = async () => {
      const [before, marks] = [(await client.heard(83)).length, (await client.heard(84)).length]
      await server.send(client.v4, 83, [Buffer.from('word')]).catch(() => {})
      await server.send(client.v4, 84, [Buffer.from('mark')])
      await poll('the mark', async () => (await client.heard(84)).length > marks)
      return (await client.heard(83)).length - before
    }
    expect(await answers()).to.equal(0)
    await perform('open', JUMP, client.v4)
    expect(await answers()).to.equal(0)
    await perform('open', JUMP, server.v4)
    expect(await answers()).to.equal(1)
    await perform('revoke', JUMP, server.v4)
    await perform('open', JUMP_ALL, client.v4)
    expect(await answers()).to.equal(1)
  })
})
