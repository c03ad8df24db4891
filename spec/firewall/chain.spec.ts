/**
 * Chain mode: leases in the administrator's own table, whose ruleset drops by default and jumps to chains for us.
 *
 *     client ── server: table filter { INPUT: established accept, jump KNOCK, drop } ── stranger
 */
import { expect } from 'chai'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const ONCE = 0x18
const JUMP = 0x30
const JUMP_ALL = 0x31
const NOWHERE = 0x32

const resources: Choices['resources'] = [
  { id: SSH, ports: [22, [6000, 6010]], protocols: ['tcp', 'udp'] },
  { id: ONCE, ports: [24], connections: 1 },
  { id: JUMP, target: { kind: 'jump', jumps: [{ hook: 'input', chain: 'MORE', matchSource: true }] } },
  { id: JUMP_ALL, target: { kind: 'jump', jumps: [{ hook: 'input', chain: 'MORE', matchSource: false }] } },
  { id: NOWHERE, target: { kind: 'jump', jumps: [{ hook: 'input', chain: 'LATER', matchSource: true }] } },
]
type Family = 'inet' | 'ip' | 'ip6'
const configFor = (family: Family, wanted = resources) =>
  serverConfig({ resources: wanted, firewall: { mode: 'chain', chain: { family, table: 'filter', input: 'KNOCK' } } })
const hostRuleset = (family: Family) => `table ${family} filter {
  chain KNOCK { tcp dport 79 accept comment "somebody else's"; }
  chain MORE { tcp dport 81 accept; }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump KNOCK
  }
}
`

describe('chain mode', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 24, 79, 81, 6005]) await lab.server.echo(port)
    host = await managerIn(lab)
  })
  beforeEach(async () => {
    await lab.server.must(['nft', '-f', '-'], { input: hostRuleset('inet') })
    await host.make(configFor('inet'))
    await host.manager.start({ keep: false })
  })
  afterEach(async () => {
    await host.manager.remove()
    await lab.server.must(['nft', 'flush', 'ruleset'])
  })
  after(() => lab.close())

  const perform = async (operation: 'open' | 'revoke', resource: number, address: string, lifetimeMs = 0) =>
    (await host.manager.perform([{ operation, user: USER, resource, address, lifetimeMs }]))[0]!
  const nft = (...args: string[]) => lab.server.must(['nft', ...args])

  it('opens for the lease’s address and shuts when the kernel ends it, over IPv4 and IPv6', async () => {
    const { client, stranger, server } = lab
    for (const [to, address] of [
      [server.v4, client.v4],
      [server.v6, client.v6],
    ] as const) {
      expect(await client.connect(to, 22)).to.equal('silent')
      expect(await perform('open', SSH, address, 1500)).to.deep.equal({ kind: 'opened', remainingMs: 1500 })
      expect(await client.connect(to, 22)).to.equal('open')
      expect(await client.connect(to, 6005)).to.equal('open')
      expect(await stranger.connect(to, 22)).to.equal('silent')
      await poll('shut again', async () => (await client.connect(to, 22)) === 'silent')
    }
  })

  it('connections: 1 lets in one, and no more', async () => {
    await perform('open', ONCE, lab.client.v4)
    const held = await lab.client.hold(lab.server.v4, 24)
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('silent')
    expect(await held.talk()).to.equal('answered')
    expect(await host.manager.leases()).to.deep.equal([])
  })

  it('a jump with a source is for that source, one without for everybody, while a lease lives', async () => {
    const { client, stranger, server } = lab
    await perform('open', JUMP, client.v4)
    expect(await client.connect(server.v4, 81)).to.equal('open')
    expect(await stranger.connect(server.v4, 81)).to.equal('silent')
    await perform('revoke', JUMP, client.v4)
    expect(await client.connect(server.v4, 81)).to.equal('silent')

    await perform('open', JUMP_ALL, client.v4)
    await perform('open', JUMP_ALL, client.v6)
    await perform('revoke', JUMP_ALL, client.v4)
    expect(await stranger.connect(server.v4, 81)).to.equal('open')
    expect(await stranger.connect(server.v6, 81)).to.equal('open')
    await perform('revoke', JUMP_ALL, client.v6)
    expect(await stranger.connect(server.v4, 81)).to.equal('silent')
  })

  it('a jump to a chain that is not there is refused and disturbs nothing; once it is there it works', async () => {
    expect(await perform('open', NOWHERE, lab.client.v4)).to.deep.equal({
      kind: 'refused',
      why: 'firewall',
      detail: 'chain LATER: expected it in table inet filter',
    })
    await nft('add chain inet filter LATER; add rule inet filter LATER tcp dport 81 accept')
    await host.manager.verify()
    expect((await perform('open', NOWHERE, lab.client.v4)).kind).to.equal('opened')
    expect(await lab.client.connect(lab.server.v4, 81)).to.equal('open')
  })

  for (const family of ['ip', 'ip6'] as const) {
    it(`in a table of family ${family} the other family is refused`, async () => {
      await host.manager.remove()
      await nft('flush', 'ruleset')
      await lab.server.must(['nft', '-f', '-'], {
        input: hostRuleset(family).replace(
          '    meta l4proto ipv6-icmp accept\n',
          family === 'ip' ? '' : '    meta l4proto ipv6-icmp accept\n',
        ),
      })
      await host.make(configFor(family))
      await host.manager.start({ keep: false })
      const [mine, other] = family === 'ip' ? [lab.client.v4, lab.client.v6] : [lab.client.v6, lab.client.v4]
      expect((await perform('open', SSH, mine)).kind).to.equal('opened')
      expect(await perform('open', SSH, other)).to.include({ kind: 'refused', why: 'family' })
      expect((await perform('open', JUMP_ALL, mine)).kind).to.equal('opened')
      expect(await lab.client.connect(family === 'ip' ? lab.server.v4 : lab.server.v6, 22)).to.equal('open')
    })
  }

  it('keeps leases over a restart and a reload, and leaves the rules of others alone', async () => {
    await perform('open', SSH, lab.client.v4)
    await perform('open', JUMP_ALL, lab.client.v4)
    await host.make(configFor('inet'))
    expect(await host.manager.start({ keep: true })).to.deep.equal({ leases: 2, leftRunning: true })
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect(await lab.stranger.connect(lab.server.v4, 81)).to.equal('open')
    await host.manager.reload(
      configFor(
        'inet',
        resources.filter(({ id }) => id !== JUMP_ALL),
      ),
    )
    expect(await host.manager.leases()).to.have.length(1)
    expect(await lab.stranger.connect(lab.server.v4, 81)).to.equal('silent')
    expect(await lab.client.connect(lab.server.v4, 79)).to.equal('open')
    const rules = (await nft('list', 'chain', 'inet', 'filter', 'KNOCK')).split('\n')
    expect(
      rules.filter((rule) => /comment "postern\/00000016\/port\/22,6000-6010\/TCP,UDP\/accept\/LETMEIN"/.test(rule)),
    ).to.have.length(3)
    expect(rules.filter((rule) => /somebody else/.test(rule))).to.have.length(1)
    expect(await host.manager.verify()).to.equal('intact')
  })

  it('puts its part back when the ruleset is loaded again, as soon as the table is there', async () => {
    await perform('open', SSH, lab.client.v4)
    await perform('open', JUMP_ALL, lab.client.v4)
    await nft('flush', 'ruleset')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await host.manager.verify()).to.equal('intact')
    expect(await perform('open', SSH, lab.client.v6)).to.include({ kind: 'refused', why: 'firewall' })
    await lab.server.must(['nft', '-f', '-'], { input: hostRuleset('inet') })
    expect(await host.manager.verify()).to.equal('restored')
    expect(await host.manager.verify()).to.equal('intact')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('silent')
    expect(await lab.stranger.connect(lab.server.v4, 81)).to.equal('open')
  })

  it('puts back rules that were flushed from the chain, once', async () => {
    await perform('open', SSH, lab.client.v4)
    const [lease] = await host.manager.leases()
    await nft('flush chain inet filter KNOCK')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect((await host.manager.leases())[0]!.remainingMs).to.be.at.most(lease!.remainingMs)
    expect(await host.manager.verify()).to.equal('intact')
  })

  it('a saved ruleset loads again, and a start with it makes no rule twice', async () => {
    await perform('open', SSH, lab.client.v4)
    await perform('open', JUMP_ALL, lab.client.v6)
    const rules = async () => (await nft('list', 'chain', 'inet', 'filter', 'KNOCK')).split('\n').sort()
    const before = await rules()
    const file = `${lab.folder}/saved.nft`
    await lab.server.must(['sh', '-c', `nft list ruleset > ${file}; nft flush ruleset; nft -f ${file}`])
    expect(await rules()).to.deep.equal(before)
    await host.make(configFor('inet'))
    await host.manager.start({ keep: false })
    expect(await rules()).to.deep.equal(before)
    expect(await host.manager.leases()).to.deep.equal([])
    expect(await lab.stranger.connect(lab.server.v4, 81)).to.equal('silent')
  })

  it('remove takes out what is ours and nothing else', async () => {
    await host.manager.remove()
    const without = await nft('list', 'ruleset')
    await nft('flush', 'ruleset')
    await lab.server.must(['nft', '-f', '-'], { input: hostRuleset('inet') })
    expect(without).to.equal(await nft('list', 'ruleset'))
  })

  it('says what is missing where table or chain are not there at the start', async () => {
    await host.manager.remove()
    await nft('flush', 'ruleset')
    await host.make(configFor('inet'))
    const error = await host.manager.start({ keep: false }).catch((reason: Error & { code: string }) => reason)
    expect(error).to.include({ code: 'no-table' })
    expect(String(error)).to.include('[NFTABLES] inet filter: expected this table with chain KNOCK')
    expect(await nft('list', 'ruleset')).to.equal('')
  })
})
