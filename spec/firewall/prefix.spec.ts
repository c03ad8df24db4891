/**
 * Leases for a whole prefix: a carrier sends knock and connection from two of its addresses.
 *
 *     client 198.18.1.2, fd18:1::2 ── server ── stranger 198.18.2.2, fd18:2::2
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { leasedAddress, leasedText } from '../../lib/firewall/prefix.js'
import { addressFromBytes, addressToKey, familyOf } from '../../lib/wire/address.js'
import { type Lab, openLab } from '../support/lab.js'
import { poll } from '../support/poll.js'
import { type Choices, serverConfig, USER } from './support-config.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SSH = 0x16
const ONCE = 0x18
const PREFIX = { v4: 24, v6: 64 }
/** Of the client's prefix, and nobody's. */
const NEIGHBOURS = ['198.18.1.77', 'fd18:1::ffff:ffff'] as const
const RESOURCES: Choices['resources'] = [
  { id: SSH, instant: true, prefix: PREFIX },
  { id: ONCE, ports: [24], connections: 1, prefix: PREFIX },
]
const CHAIN = { mode: 'chain', chain: { family: 'inet', table: 'filter', input: 'KNOCK' } } as const
const HOST = `table inet filter {
  chain KNOCK { }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump KNOCK
  }
}
`

describe('a lease for a prefix', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    for (const port of [22, 24]) await lab.server.echo(port)
    host = await managerIn(lab)
  })
  afterEach(async () => {
    await host.manager.remove()
    await lab.server.must(['nft', 'flush', 'ruleset'])
  })
  after(() => lab.close())

  const start = async (choices: Partial<Choices> = {}) => {
    const config = serverConfig({ resources: RESOURCES, ...choices })
    await host.make(config)
    await host.manager.start({ keep: false })
    return config
  }
  const ask = async (operation: 'open' | 'revoke', resource: number, address: string) =>
    (await host.manager.perform([{ operation, user: USER, resource, address, lifetimeMs: 0 }]))[0]!.kind
  const addresses = async () => (await host.manager.leases()).map(({ address }) => address)

  for (const [mode, firewall] of [
    ['guard', {}],
    ['chain', CHAIN],
  ] as const)
    it(`lets in its neighbours and nobody else, and is ended by any of them, in ${mode} mode`, async () => {
      if (mode === 'chain') await lab.server.must(['nft', '-f', '-'], { input: HOST })
      await start({ firewall })
      const { client, stranger, server } = lab
      for (const [to, neighbour, own, text] of [
        [server.v4, NEIGHBOURS[0], client.v4, '198.18.1.0/24'],
        [server.v6, NEIGHBOURS[1], client.v6, 'fd18:1::/64'],
      ] as const) {
        expect(await client.connect(to, 22)).not.to.equal('open')
        expect(await ask('open', SSH, neighbour)).to.equal('opened')
        expect(await client.connect(to, 22)).to.equal('open')
        expect(await stranger.connect(to, 22)).not.to.equal('open')
        expect(await addresses()).to.deep.equal([text])
        expect(await ask('open', SSH, own)).to.equal('prolonged')
        expect(await ask('revoke', SSH, own)).to.equal('revoked')
        expect(await client.connect(to, 22)).not.to.equal('open')
      }
    })

  it('with one connection is used up by one of them', async () => {
    await start()
    const { client, server } = lab
    expect(await ask('open', ONCE, NEIGHBOURS[0])).to.equal('opened')
    expect(await client.connect(server.v4, 24)).to.equal('open')
    await poll('the lease is used up', async () => (await addresses()).length === 0)
    expect(await client.connect(server.v4, 24)).to.equal('refused')
  })

  it('is made by the kernel for an instant token too', async () => {
    await start()
    const { client, server } = lab
    const tag = Buffer.from('0011223344556677', 'hex')
    const token = Buffer.alloc(16, 0xa5)
    await host.manager.installTags([{ key: tag, timeoutMs: 60_000 }])
    await host.manager.installTokens(SSH, [{ key: token, timeoutMs: 60_000 }])
    await client.send(server.v4, 5800, [Buffer.concat([tag, token, Buffer.alloc(116)])])
    await poll('the kernel opened', async () => (await addresses()).includes('198.18.1.0/24'))
    expect((await host.manager.annotate(SSH, client.v4, USER)).kind).to.equal('opened')
    expect((await host.manager.leases())[0]).to.include({ user: USER })
  })

  it('outlives a restart, and not a reload that means other addresses by it', async () => {
    const config = await start()
    await ask('open', SSH, NEIGHBOURS[0])
    await host.make(config)
    await host.manager.start({ keep: true })
    expect(await addresses()).to.deep.equal(['198.18.1.0/24'])
    await host.manager.reload(serverConfig({ resources: [{ id: SSH, instant: true }] }))
    expect(await addresses()).to.deep.equal([])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('refused')
  })

  it('outlives a restart in chain mode, too', async () => {
    await lab.server.must(['nft', '-f', '-'], { input: HOST })
    const config = await start({ firewall: CHAIN })
    await ask('open', SSH, NEIGHBOURS[0])
    await host.make(config)
    await host.manager.start({ keep: true })
    expect(await addresses()).to.deep.equal(['198.18.1.0/24'])
  })

  it('is what a gate on trial begins with, for whoever tries it', async () => {
    await host.make(serverConfig({ resources: RESOURCES }))
    const lengthMs = 60_000
    const endMs = Number((await lab.server.must(['cat', '/proc/uptime'])).split(' ')[0]) * 1000 + lengthMs
    await host.manager.start({ keep: false, first: [{ resource: SSH, address: lab.client.v4, lengthMs, endMs }] })
    expect(await addresses()).to.deep.equal(['198.18.1.0/24'])
    expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
  })

  it('can be saved and loaded by nft', async () => {
    await start()
    await ask('open', SSH, NEIGHBOURS[0])
    const saved = await lab.server.must(['nft', 'list', 'ruleset'])
    await lab.server.must(['nft', 'flush', 'ruleset'])
    await lab.server.must(['nft', '-f', '-'], { input: saved })
  })

  it('is kept under the first address of its prefix, whichever of it asks', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    fc.assert(
      fc.property(bytes, fc.integer({ min: 16, max: 32 }), fc.integer({ min: 32, max: 128 }), (some, v4, v6) => {
        const prefix = { v4, v6 }
        const address = addressFromBytes(some)
        const bits = familyOf(address) === 4 ? v4 : v6
        const first = leasedAddress(address, { prefix })
        const number = (text: string) => BigInt(`0x${Buffer.from(addressToKey(text)).toString('hex')}`)
        const rest = BigInt((familyOf(address) === 4 ? 32 : 128) - bits)
        expect(number(first)).to.equal((number(address) >> rest) << rest)
        expect(leasedText(first, { prefix }).startsWith(first)).to.equal(true)
        expect(leasedAddress(address, {})).to.equal(address)
      }),
    )
  })
})
