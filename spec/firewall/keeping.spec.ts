/**
 * What becomes of leases, tags and tokens over restarts, reloads, other people's changes and sleep: with a real kernel.
 *
 *     client 198.18.1.2 ── 198.18.0.1 server ── 198.18.2.2 stranger
 */
import { expect } from 'chai'
import type { SetRef } from '../../lib/firewall/types.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { type Choices, OTHER_USER, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const WEB = 0x50
const ONCE = 0x18
const NEW = 0x51

const resources: Choices['resources'] = [
  { id: SSH, instant: true },
  { id: WEB, ports: [80], instant: true },
  { id: ONCE, ports: [24], connections: 1 },
]
const config = serverConfig({ resources })
const own = (set: string): SetRef => ({ family: 1, table: 'postern', set })
const token = (fill: number) => ({ key: new Uint8Array(16).fill(fill), timeoutMs: 60_000 })
const tag = (fill: number) => ({ key: new Uint8Array(8).fill(fill), timeoutMs: 60_000 })

describe('what stays in the kernel', () => {
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

  describe('over a restart within one boot', () => {
    it('a table of the same configuration is left running, with leases, tags and tokens', async () => {
      await open(SSH, lab.client.v4)
      await host.manager.installTags([tag(1)])
      await host.manager.installTokens(SSH, [token(2)])
      const before = await host.kernel.shape(1, 'postern')
      await host.make(config)
      expect(await host.manager.start({ keep: true })).to.deep.equal({ leases: 1, leftRunning: true })
      const after = await host.kernel.shape(1, 'postern')
      expect(after!.handle).to.equal(before!.handle)
      expect(await keysOf('tags')).to.deep.equal([1])
      expect(await keysOf('inst_00000016')).to.deep.equal([2])
      const [lease] = await host.manager.leases()
      expect(lease).to.include({ resource: SSH, address: lab.client.v4, user: USER })
      expect(lease!.remainingMs).to.be.within(1, 30_000)
      expect(await host.manager.verify()).to.equal('intact')
    })

    it('a table of another configuration is made anew with its leases, as much time as they had left', async () => {
      await open(SSH, lab.client.v4, { lifetimeMs: 20_000 })
      await open(WEB, lab.client.v6, { user: OTHER_USER })
      await host.manager.installTokens(SSH, [token(2)])
      const [before] = await host.manager.leases()
      await host.make(serverConfig({ resources: [...resources, { id: NEW, ports: [81] }], users: [USER] }))
      expect(await host.manager.start({ keep: true })).to.deep.equal({ leases: 1, leftRunning: false })
      const leases = await host.manager.leases()
      expect(leases.map(({ resource, address, user }) => ({ resource, address, user }))).to.deep.equal([
        { resource: SSH, address: lab.client.v4, user: USER },
      ])
      expect(leases[0]!.remainingMs).to.be.within(before!.remainingMs - 5000, before!.remainingMs)
      expect(await keysOf('inst_00000016')).to.deep.equal([])
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      expect(await lab.client.connect(lab.server.v4, 81)).to.equal('refused')
    })

    it('a lease whose connections were counted is not made again, for the count is lost', async () => {
      const twice = (port: number) =>
        serverConfig({
          resources: [
            { id: ONCE, ports: [24], connections: 2 },
            { id: NEW, ports: [port] },
          ],
        })
      await host.make(twice(81))
      await host.manager.start({ keep: false })
      await open(ONCE, lab.client.v4)
      await open(ONCE, lab.stranger.v4)
      expect(await lab.client.connect(lab.server.v4, 24)).to.equal('open')
      await host.make(twice(82))
      await host.manager.start({ keep: true })
      expect((await host.manager.leases()).map(({ address }) => address)).to.deep.equal([lab.stranger.v4])
    })

    it('the first start of a boot throws away what it finds', async () => {
      await open(SSH, lab.client.v4)
      await host.manager.installTags([tag(1)])
      await host.make(config)
      expect(await host.manager.start({ keep: false })).to.deep.equal({ leases: 0, leftRunning: false })
      expect(await host.manager.leases()).to.deep.equal([])
      expect(await keysOf('tags')).to.deep.equal([])
    })
  })

  describe('over a reload', () => {
    it('what stays keeps leases, tags and tokens; what goes takes its own along; what is new is shut', async () => {
      await open(SSH, lab.client.v4)
      await open(SSH, lab.stranger.v4, { user: OTHER_USER })
      await open(WEB, lab.client.v4)
      await host.manager.installTags([tag(1)])
      await host.manager.installTokens(SSH, [token(2)])
      await lab.server.must(['nft', 'add', 'element', 'inet', 'postern', 'used', '{ 0x0103 }'])
      await host.manager.reload(
        serverConfig({
          resources: [
            { id: SSH, instant: true, ports: [22, 23] },
            { id: NEW, ports: [81] },
          ],
          users: [USER],
        }),
      )
      expect((await host.manager.leases()).map(({ resource, address }) => `${resource} ${address}`)).to.deep.equal([
        `${SSH} ${lab.client.v4}`,
      ])
      expect(await keysOf('tags')).to.deep.equal([1])
      expect(await keysOf('used')).to.have.length(1)
      expect(await keysOf('inst_00000016')).to.deep.equal([2])
      expect((await host.kernel.shape(1, 'postern'))!.sets.some((set) => set.endsWith('_00000050'))).to.equal(false)
      expect(await lab.stranger.connect(lab.server.v4, 80)).to.equal('open')
      expect(await lab.stranger.connect(lab.server.v4, 81)).to.equal('refused')
      expect(await lab.stranger.connect(lab.server.v4, 22)).to.equal('refused')
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      expect(await host.manager.verify()).to.equal('intact')
    })

    it('a user with another key loses what the old one opened', async () => {
      await open(SSH, lab.client.v4)
      await open(SSH, lab.stranger.v4, { user: OTHER_USER })
      const other = serverConfig({ resources })
      await host.manager.reload({ ...other, users: new Map([...other.users, [USER, new Uint8Array(32).fill(99)]]) })
      expect((await host.manager.leases()).map(({ user }) => user)).to.deep.equal([OTHER_USER])
    })

    it('a user whose key was changed keeps it as long as the old one lives on', async () => {
      await open(SSH, lab.client.v4)
      const before = serverConfig({ resources })
      const [today, fresh] = [before.users.get(USER)!, new Uint8Array(32).fill(99)]
      const users = new Map([...before.users, [USER, fresh]])
      const rotated = { ...before, users, oldKeys: new Map([[USER, [{ key: today, untilMs: 4e12 }]]]) }
      await host.manager.reload(rotated)
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      await host.manager.reload({ ...rotated, oldKeys: new Map() })
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    })

    it('an instant lease whose record is not here yet goes with any user who could have opened it', async () => {
      for (const set of ['lease4_00000016', 'lease4_00000050'])
        await nft('add', 'element', 'inet', 'postern', set, `{ ${lab.client.v4} timeout 60s }`)
      const addresses = async () => (await host.manager.leases()).map(({ resource }) => resource)
      const both = serverConfig({
        resources: [
          { id: SSH, instant: true },
          { id: WEB, ports: [80], instant: true, users: [USER] },
        ],
      })
      await host.manager.reload(both)
      expect(await addresses(), 'OTHER_USER cannot open it any more').to.deep.equal([SSH])
      await host.manager.reload({ ...both, users: new Map([...both.users].filter(([user]) => user === USER)) })
      expect(await addresses(), 'OTHER_USER is gone').to.deep.equal([])
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    })

    it('no packet slips through while it is done', async () => {
      const wider = serverConfig({ resources: [...resources, { id: NEW, ports: [81] }] })
      const outcomes: string[] = []
      let reloading = true
      const strangers = (async () => {
        while (reloading) outcomes.push(await lab.stranger.connect(lab.server.v4, 22))
      })()
      for (let i = 0; i < 10; i++) await host.manager.reload(i % 2 === 0 ? wider : config)
      reloading = false
      await strangers
      expect(outcomes.length).to.be.greaterThan(10)
      expect(new Set(outcomes)).to.deep.equal(new Set(['refused']))
    })

    it('sets whose size changes are made anew with their leases', async () => {
      await open(SSH, lab.client.v4)
      await host.manager.reload(serverConfig({ resources: resources.map((one) => ({ ...one, maxLeases: 20_000 })) }))
      expect(await host.manager.leases()).to.have.length(1)
      expect(await nft('list', 'set', 'inet', 'postern', 'lease4_00000016')).to.match(/size 65536/)
    })

    it('what nft refuses changes nothing', async () => {
      await open(SSH, lab.client.v4)
      const clash = serverConfig({ resources: [{ id: SSH }, { id: NEW, ports: [[20, 25]] }] })
      const error = await host.manager.reload(clash).catch((reason: Error & { code: string }) => reason)
      expect(error).to.include({ code: 'nft' })
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      expect(await lab.stranger.connect(lab.server.v4, 80)).to.equal('refused')
      expect(await host.manager.verify()).to.equal('intact')
    })
  })

  it('after a suspend what should have ended has ended, the rest is shorter', async () => {
    await open(SSH, lab.client.v4, { lifetimeMs: 20_000 })
    await open(SSH, lab.stranger.v4, { lifetimeMs: 90_000 })
    await host.manager.installTokens(SSH, [token(1)])
    await host.manager.afterSuspend(60_000)
    const leases = await host.manager.leases()
    expect(leases.map(({ address }) => address)).to.deep.equal([lab.stranger.v4])
    expect(leases[0]!.remainingMs).to.be.within(20_000, 30_000)
    expect(await keysOf('inst_00000016')).to.deep.equal([])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
  })

  it('closeAll revokes everything, remove takes everything out', async () => {
    await open(SSH, lab.client.v4)
    await host.manager.installTokens(SSH, [token(1)])
    await host.manager.closeAll()
    expect(await host.manager.leases()).to.deep.equal([])
    expect(await keysOf('inst_00000016')).to.deep.equal([])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    await host.manager.remove()
    expect(await nft('list', 'ruleset')).to.equal('')
    await poll('open', async () => (await lab.client.connect(lab.server.v4, 22)) === 'open')
  })

  it('closeAll revokes everything where a part of ours was taken away as well, and leaves the gate whole', async () => {
    await open(SSH, lab.client.v4)
    const before = await host.kernel.shape(1, 'postern')
    await nft('flush chain inet postern r_00000018; delete set inet postern lease4_00000018')
    await host.manager.closeAll()
    expect(await host.manager.leases()).to.deep.equal([])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
    expect((await host.kernel.shape(1, 'postern'))!.sets).to.have.members([...before!.sets])
    await nft('flush', 'ruleset')
    await host.manager.closeAll()
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
  })

  it('says which tables to watch', async () => {
    const shape = await host.kernel.shape(1, 'postern')
    expect(await host.manager.watched()).to.deep.equal([{ family: 1, table: 'postern', handle: shape!.handle }])
  })
})
