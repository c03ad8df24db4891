/**
 * Somebody else changes the ruleset, or saves it and loads it again: what postern makes of it, with a real kernel.
 *
 *     client 198.18.1.2 ── 198.18.0.1 server ── 198.18.2.2 stranger
 */
import { expect } from 'chai'
import type { SetRef } from '../../lib/firewall/types.js'
import { type Lab, openLab } from '../support/lab.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const WEB = 0x50
const ONCE = 0x18

const resources: Choices['resources'] = [
  { id: SSH, instant: true },
  { id: WEB, ports: [80], instant: true },
  { id: ONCE, ports: [24], connections: 1 },
]
const config = serverConfig({ resources })
const own = (set: string): SetRef => ({ family: 1, table: 'postern', set })
const token = (fill: number) => ({ key: new Uint8Array(16).fill(fill), timeoutMs: 60_000 })
const tag = (fill: number) => ({ key: new Uint8Array(8).fill(fill), timeoutMs: 60_000 })

describe('when somebody else changes the ruleset', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 24, 80, 81]) await lab.server.echo(port)
    host = await managerIn(lab)
  })
  beforeEach(async () => {
    await host.make(config)
    await host.manager.start({ keep: false })
  })
  afterEach(() => host.manager.remove())
  after(() => lab.close())

  const open = async (resource: number, address: string, { user = USER, lifetimeMs = 0 } = {}) =>
    (await host.manager.perform([{ operation: 'open', user, resource, address, lifetimeMs }]))[0]!
  const nft = (...args: string[]) => lab.server.must(['nft', ...args])
  const keysOf = async (set: string) => (await host.kernel.list(own(set))).map(({ key }) => key[0])

  it('what was removed is back with its leases; strangers who came in meanwhile are out', async () => {
    // Somebody else's rule keeps connections tracked while ours are away: to conntrack the strangers are established.
    await nft(
      'add table inet mine; add chain inet mine c { type filter hook prerouting priority 0; }; add rule inet mine c ct state invalid drop',
    )
    await open(SSH, lab.client.v4, { lifetimeMs: 20_000 })
    const held = await lab.client.hold(lab.server.v4, 22)
    await nft('delete table inet postern')
    const strangers = await Promise.all([1, 2, 3, 4, 5].map(() => lab.stranger.hold(lab.server.v4, 22)))
    for (const stranger of strangers) expect(await stranger.talk()).to.equal('answered')
    expect(await host.manager.verify()).to.equal('restored')
    for (const stranger of strangers) expect(await stranger.talk()).to.not.equal('answered')
    expect(await held.talk()).to.equal('answered')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
    const [lease] = await host.manager.leases()
    expect(lease).to.include({ user: USER, address: lab.client.v4 })
    expect(lease!.remainingMs).to.be.below(20_000)
    expect(await host.manager.verify()).to.equal('intact')
    await nft('delete table inet mine')
  })

  it('after flush ruleset all is back', async () => {
    await open(SSH, lab.client.v4)
    const held = await lab.client.hold(lab.server.v4, 22)
    await nft('flush', 'ruleset')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('open')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
    expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
    expect(await held.talk()).to.equal('answered')
  })

  it('where the memory of used tokens is lost, the unused ones go too', async () => {
    await host.manager.installTokens(SSH, [token(1)])
    await nft('flush chain inet postern heard; delete set inet postern used')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await keysOf('inst_00000016')).to.deep.equal([])
    await host.manager.installTokens(SSH, [token(2)])
    await nft('flush chain inet postern heard')
    expect(await host.manager.verify()).to.equal('restored')
    expect(await keysOf('inst_00000016')).to.deep.equal([2])
  })

  for (const [what, command] of [
    ['a deleted chain', 'flush table inet postern; delete chain inet postern out'],
    ['flushed rules', 'flush chain inet postern guard'],
    ['a rule of somebody else', 'insert rule inet postern pre accept'],
    ['a chain of somebody else', 'add chain inet postern own { type filter hook prerouting priority -500; }'],
    ['hooks that were turned off', 'add table inet postern { flags dormant; }'],
    ['a deleted table', 'delete table inet postern'],
  ] as const) {
    it(`after ${what} it is as before`, async () => {
      await open(SSH, lab.client.v4)
      const isTableGone = what === 'a deleted table'
      if (!isTableGone) await host.manager.installTags([tag(1)])
      const before = await outline()
      await nft(command)
      expect(await host.manager.verify()).to.equal('restored')
      expect(await outline()).to.equal(before)
      expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      expect(await keysOf('tags')).to.deep.equal(isTableGone ? [] : [1])
    })
  }

  it('a request that comes before the look puts it back first', async () => {
    await open(WEB, lab.client.v4)
    await nft('flush', 'ruleset')
    expect((await open(SSH, lab.client.v4)).kind).to.equal('opened')
    expect(await host.manager.leases()).to.have.length(2)
    expect(await host.manager.verify()).to.equal('restored')
    expect(await host.manager.verify()).to.equal('intact')
  })

  it('a lease that was used up does not come back', async () => {
    await open(ONCE, lab.client.v4)
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('open')
    await nft('flush', 'ruleset')
    await host.manager.verify()
    expect(await lab.client.connect(lab.server.v4, 24)).to.equal('refused')
  })

  it('other people’s tables are never touched, and a table that is not ours is not taken', async () => {
    await nft(
      'add table inet mine; add chain inet mine c { type filter hook input priority 5; }; add rule inet mine c counter',
    )
    await host.manager.remove()
    expect(await nft('list', 'tables')).to.equal('table inet mine\n')
    await nft('add table inet postern')
    await host.make(config)
    const error = await host.manager.start({ keep: false }).catch((reason: Error & { code: string }) => reason)
    expect(error).to.include({ code: 'busy' })
    await nft('delete table inet postern; delete table inet mine')
    await host.manager.start({ keep: false })
  })
  it('a ruleset that was saved loads again', async () => {
    await open(SSH, lab.client.v4)
    await open(SSH, lab.client.v6)
    await open(ONCE, lab.client.v4)
    await lab.client.connect(lab.server.v4, 24)
    await host.manager.installTags([{ key: Uint8Array.of(0, 0, 0, 0, 0, 1, 2, 3), timeoutMs: 60_000 }, tag(200)])
    await host.manager.installTokens(SSH, [token(0), token(7)])
    const before = await outline()
    const file = `${lab.folder}/saved.nft`
    await lab.server.must(['sh', '-c', `nft list ruleset > ${file}; nft flush ruleset; nft -f ${file}`])
    expect(await outline()).to.equal(before)
  })

  /** The ruleset without what changes with time, chains and sets in the order of their names. */
  async function outline(): Promise<string> {
    // A day is the set's own time: before kernel 6.12 what a rule adds to the set says it, too, and what a file adds does not.
    const listed = await nft('list', 'ruleset')
    const text = listed.replace(/(?: timeout 1d)? expires [0-9a-z]+/g, '').replace(/\n}\n$/, '')
    const sorted = text.replace(/elements = \{[^}]*\}/g, (all) =>
      all
        .split(/[\s,]+/)
        .sort()
        .join(' '),
    )
    const blocks = sorted.split('\n\n').map((block) => block.trim())
    return blocks.sort().join('\n')
  }
})
