import { expect } from 'chai'
import type { Person, ServerConfig } from '../../lib/config/types.js'
import { OutstayedWatch, outstayed } from '../../lib/daemon/outstayed.js'
import { deriveUserKeys } from '../../lib/daemon/user-keys.js'
import type { Lease, LeaseOutcome, LeaseRequest } from '../../lib/firewall/types.js'
import { serverConfig } from '../firewall/support-config.js'

const RESOURCE = 0x16
const lease = (user: number | undefined, remainingMs: number, address = '192.0.2.7'): Lease => ({
  resource: RESOURCE,
  address,
  remainingMs,
  ...(user !== undefined && { user }),
})
const config = (people: readonly (readonly [number, Person])[], instant = false): ServerConfig => ({
  ...serverConfig({ resources: [{ id: RESOURCE, timeoutMs: 30_000, instant }] }),
  people: new Map(people),
})
const addresses = (found: readonly LeaseRequest[]) => found.map(({ address }) => address)

describe('leases that outlive their user’s time', () => {
  it('are those that end later than he may have them, and those of who is not welcome at all', () => {
    const people = config([
      [1, { untilMs: 10_000 }],
      [2, { networks: ['198.51.100.0/24'] }],
      [3, { name: 'carol' }],
    ])
    const leases = [
      lease(1, 5_000, '192.0.2.1'),
      lease(1, 9_000, '192.0.2.2'),
      lease(2, 9_000, '192.0.2.3'),
      lease(2, 9_000, '198.51.100.4'),
      lease(3, 9_000, '192.0.2.5'),
      lease(4, 9_000, '192.0.2.6'),
      lease(undefined, 9_000, '192.0.2.7'),
    ]
    expect(addresses(outstayed(leases, people, 4_000))).to.deep.equal(['192.0.2.2', '192.0.2.3'])
    expect(addresses(outstayed(leases, people, 10_000))).to.deep.equal(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  })

  it('are not those for a prefix in which there is an address of his', () => {
    const people = config([[1, { networks: ['192.0.2.128/32', '2001:db8:0:1::/64'] }]])
    const prefixes = ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/56', '2001:db8:1::/56']
    const found = outstayed(
      prefixes.map((address) => lease(1, 1, address)),
      people,
      0,
    )
    expect(addresses(found)).to.deep.equal(['198.51.100.0', '2001:db8:1::'])
  })

  it('go at a start, after a reload and when the clock was set', () => {
    let now = { wallMs: 0, monoMs: 0 }
    let leases = [lease(1, 60_000)]
    const revoked: LeaseRequest[] = []
    const said: string[] = []
    const manager = {
      leases: () => leases,
      perform: (requests: readonly LeaseRequest[]) => {
        revoked.push(...requests)
        leases = leases.slice(requests.length)
        return requests.map(() => ({ kind: 'revoked' as const }))
      },
    }
    const log = { info: (line: string) => void said.push(line), error: expect.fail }
    const parts = { now: () => now, log }
    const watch = new OutstayedWatch(manager, config([[1, { untilMs: 3_600_000 }]]), parts)
    watch.tick()
    expect(revoked).to.deep.equal([])
    now = { wallMs: 3_590_000, monoMs: 2_000 }
    watch.tick()
    const revoke = { operation: 'revoke', resource: RESOURCE, address: '192.0.2.7', lifetimeMs: 0 }
    expect(revoked.splice(0)).to.deep.equal([revoke])
    leases = [lease(1, 60_000)]
    watch.use(config([[1, { untilMs: 1 }]]))
    expect(revoked.splice(0)).to.deep.equal([revoke])
    leases = [lease(1, 60_000)]
    new OutstayedWatch(manager, config([[1, { untilMs: 1 }]]), parts)
    expect(revoked).to.deep.equal([revoke])
    expect(said).to.have.length(3)
    expect(said[0]).to.match(/^revoked: .*192\.0\.2\.7, user 00000001, who may not have it so long any more/)
  })

  it('are told as they are where the firewall refuses, and are gone with a later look', () => {
    const said: string[] = []
    const [info, error] = ['info', 'error'].map((kind) => (line: string) => void said.push(`${kind} ${line}`))
    const outcomes: LeaseOutcome[] = [{ kind: 'refused', why: 'firewall', detail: 'EBUSY' }, { kind: 'revoked' }]
    let canList = false
    const manager = {
      leases: () => {
        if (!canList) throw new Error('no list')
        return [lease(1, 60_000)]
      },
      perform: (requests: readonly LeaseRequest[]) => requests.map(() => outcomes.shift()!),
    }
    const now = () => ({ wallMs: 5_000, monoMs: 5_000 })
    const watch = new OutstayedWatch(manager, config([[1, { untilMs: 1 }]]), {
      now,
      log: { info: info!, error: error! },
    })
    canList = true
    for (let i = 0; i < 4; i++) watch.tick()
    expect(said).to.have.length(3)
    expect(said[0]).to.match(/^error leases could not be looked at .*: no list; again soon$/)
    expect(said[1]).to.match(/^error not revoked: .*192\.0\.2\.7, .*EBUSY.*; again soon$/)
    expect(said[2]).to.match(/^info revoked: .*192\.0\.2\.7/)
  })

  it('are not made by the kernel: his last token is gone a whole lease ahead of his end', () => {
    const untilMs = 5_000_000
    const [user] = deriveUserKeys({
      ...config([[1, { untilMs }]], true),
      users: new Map([[1, new Uint8Array(32).fill(7)]]),
    })
    expect(user!.tokensUntilMs).to.equal(untilMs - 30_000)
  })
})
