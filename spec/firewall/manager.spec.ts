/** The rule manager's own decisions, against a kernel in memory. What the real kernel does with it: guard.spec.ts, keeping.spec.ts. */
import { expect } from 'chai'
import fc from 'fast-check'
import { RuleManager } from '../../lib/firewall/manager.js'
import { leaseKey } from '../../lib/firewall/names.js'
import { readTemplates } from '../../lib/firewall/templates.js'
import type { LeaseOutcome, LeaseRequest } from '../../lib/firewall/types.js'
import { type Choices, OTHER_USER, serverConfig, USER } from './support-config.js'
import { MemoryKernel } from './support-memory.js'

const SSH = 0x16
const WEB = 0x50
const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const
const templates = readTemplates()

function managerWith(choices: Partial<Choices> = {}) {
  const kernel = new MemoryKernel()
  const resources = [
    { id: SSH, timeoutMs: 30_000, maxTimeoutMs: 100_000 },
    { id: WEB, ports: [80], users: [USER] },
  ]
  const config = serverConfig({ resources, ...choices })
  const manager = new RuleManager({
    kernel,
    nft: kernel.nft,
    config,
    templates,
    now: () => kernel.nowMs,
    log: () => {},
  })
  manager.start({ keep: false })
  kernel.transactions = 0
  return { kernel, manager, config }
}

const request = (wanted: Partial<LeaseRequest> = {}): LeaseRequest => ({
  operation: 'open',
  user: USER,
  resource: SSH,
  address: A,
  lifetimeMs: 0,
  ...wanted,
})
const kinds = (outcomes: LeaseOutcome[]) => outcomes.map((outcome) => ('why' in outcome ? outcome.why : outcome.kind))

describe('the rule manager', () => {
  it('gives the resource’s own time, or what is wanted, never more than its greatest', () => {
    const { manager } = managerWith()
    expect(manager.perform([request()])).to.deep.equal([{ kind: 'opened', remainingMs: 30_000 }])
    expect(manager.perform([request({ address: B, lifetimeMs: 5000 })])).to.deep.equal([
      { kind: 'opened', remainingMs: 5000 },
    ])
    expect(manager.perform([request({ address: C, lifetimeMs: 1e9 })])).to.deep.equal([
      { kind: 'opened', remainingMs: 100_000 },
    ])
  })

  it('moves an end only later, whichever verb and user', () => {
    const { kernel, manager } = managerWith()
    manager.perform([request({ lifetimeMs: 50_000 })])
    kernel.nowMs += 10_000
    expect(manager.perform([request({ lifetimeMs: 5000 })])).to.deep.equal([{ kind: 'unchanged', remainingMs: 40_000 }])
    expect(manager.perform([request({ operation: 'extend', user: OTHER_USER, lifetimeMs: 60_000 })])).to.deep.equal([
      { kind: 'prolonged', remainingMs: 60_000 },
    ])
    expect(manager.leases()).to.deep.equal([{ resource: SSH, address: A, user: OTHER_USER, remainingMs: 60_000 }])
  })

  it('extend never opens; revoke of what is not there is no error', () => {
    const { kernel, manager } = managerWith()
    expect(kinds(manager.perform([request({ operation: 'extend' }), request({ operation: 'revoke' })]))).to.deep.equal([
      'absent',
      'absent',
    ])
    manager.perform([request()])
    kernel.nowMs += 30_000
    expect(kinds(manager.perform([request({ operation: 'extend' })]))).to.deep.equal(['absent'])
  })

  it('does everything that waits in one transaction, in its order', () => {
    const { kernel, manager } = managerWith()
    const outcomes = manager.perform([
      request(),
      request({ operation: 'revoke' }),
      request({ lifetimeMs: 7000 }),
      request({ address: B }),
      request({ operation: 'extend', address: B, lifetimeMs: 40_000 }),
    ])
    expect(kinds(outcomes)).to.deep.equal(['opened', 'revoked', 'opened', 'opened', 'prolonged'])
    expect(kernel.transactions).to.equal(1)
    expect(manager.leases().map(({ address, remainingMs }) => [address, remainingMs])).to.deep.equal([
      [A, 7000],
      [B, 40_000],
    ])
  })

  it('refuses what its own configuration does not know or allow, whoever asks', () => {
    const { manager } = managerWith()
    const outcomes = manager.perform([
      request({ resource: 0x99 }),
      request({ user: 77 }),
      request({ resource: WEB, user: OTHER_USER }),
      request({ operation: 'revoke', resource: WEB, user: OTHER_USER }),
      request({ address: '::ffff:192.0.2.1' }),
      request({ address: '192.0.2.1; flush ruleset' }),
    ])
    expect(kinds(outcomes)).to.deep.equal(['unknown-resource', 'user', 'user', 'user', 'family', 'family'])
    expect(manager.leases()).to.deep.equal([])
  })

  it('the administrator may open everything', () => {
    const { manager } = managerWith({ limits: { leasesPerUser: 1 } })
    const { user: _, ...byHand } = request()
    expect(kinds(manager.perform([byHand, { ...byHand, resource: WEB }, { ...byHand, address: B }]))).to.deep.equal([
      'opened',
      'opened',
      'opened',
    ])
    expect(manager.leases()[0]).to.not.have.property('user')
  })

  it('writes nothing shorter than what the kernel can count', () => {
    const { kernel, manager } = managerWith()
    expect(manager.perform([request({ lifetimeMs: 0.01 })])).to.deep.equal([{ kind: 'opened', remainingMs: 100 }])
    const set = { family: 1, table: 'postern', set: 'lease4_00000016' }
    kernel.apply([{ kind: 'add', to: set, elements: [{ key: leaseKey(B), timeoutMs: 30_000, expiresMs: 3 }] }])
    expect(manager.annotate(SSH, B, USER)).to.deep.equal({ kind: 'unchanged', remainingMs: 3 })
    manager.afterSuspend(20)
    expect(manager.leases()).to.deep.equal([])
  })

  it('a request that the kernel refuses does not take others along', () => {
    const { kernel, manager } = managerWith()
    kernel.refused.add(Buffer.from(leaseKey(B)).toString('hex'))
    const outcomes = manager.perform([request(), request({ address: B }), request({ address: C })])
    expect(kinds(outcomes)).to.deep.equal(['opened', 'firewall', 'opened'])
    expect(outcomes[1]).to.deep.include({ detail: 'full: set: full' })
    expect(manager.leases().map(({ address }) => address)).to.deep.equal([A, C])
  })

  describe('limits', () => {
    const limited = () =>
      managerWith({ resources: [{ id: SSH, maxLeases: 2, connections: 1 }, { id: WEB }], limits: { leasesPerUser: 3 } })

    it('a resource has no more leases than it may, in one transaction either', () => {
      const { kernel, manager } = limited()
      expect(kinds(manager.perform([request(), request({ address: B }), request({ address: C })]))).to.deep.equal([
        'opened',
        'opened',
        'resource-limit',
      ])
      expect(kinds(manager.perform([request()]))).to.deep.equal(['unchanged'])
      expect(kinds(manager.perform([request({ operation: 'revoke' }), request({ address: C })]))).to.deep.equal([
        'revoked',
        'opened',
      ])
      kernel.nowMs += 30_000
      expect(kinds(manager.perform([request()]))).to.deep.equal(['opened'])
    })

    it('a lease that the kernel used up leaves its place', () => {
      const { kernel, manager } = limited()
      manager.perform([request(), request({ address: B })])
      kernel.apply([
        { kind: 'remove', from: { family: 1, table: 'postern', set: 'lease4_00000016' }, keys: [leaseKey(A)] },
      ])
      expect(kinds(manager.perform([request({ address: C })]))).to.deep.equal(['opened'])
    })

    it('a user has no more leases than he may, of all resources together', () => {
      const { manager } = limited()
      const web = (address: string, user = USER) => request({ resource: WEB, address, user })
      expect(kinds(manager.perform([request(), web(A), web(B), web(C)]))).to.deep.equal([
        'opened',
        'opened',
        'opened',
        'user-limit',
      ])
      expect(kinds(manager.perform([web(C, OTHER_USER)]))).to.deep.equal(['opened'])
      expect(kinds(manager.perform([request({ operation: 'revoke' }), web('192.0.2.9')]))).to.deep.equal([
        'revoked',
        'opened',
      ])
    })

    it('what failed leaves no trace in the count', () => {
      const { kernel, manager } = limited()
      kernel.refused.add(Buffer.from(leaseKey(A)).toString('hex'))
      manager.perform([request(), request()])
      kernel.refused.clear()
      expect(kinds(manager.perform([request({ address: B }), request({ address: C })]))).to.deep.equal([
        'opened',
        'opened',
      ])
    })

    it('hold for what the kernel opened itself', () => {
      const { kernel, manager } = limited()
      manager.perform([request(), request({ address: B })])
      kernel.apply([
        {
          kind: 'add',
          to: { family: 1, table: 'postern', set: 'lease4_00000016' },
          elements: [{ key: leaseKey(C), timeoutMs: 30_000 }],
        },
      ])
      expect(manager.annotate(SSH, C, USER)).to.include({ kind: 'refused', why: 'resource-limit' })
      expect(manager.leases().map(({ address }) => address)).to.deep.equal([A, B])
    })
  })

  it('does what a naive model does, whatever the order of requests and time', () => {
    const step = fc.record({
      operation: fc.constantFrom('open', 'extend', 'revoke' as const),
      address: fc.constantFrom(A, B),
      lifetimeMs: fc.constantFrom(0, 200, 5000, 45_000, 1e9),
      waitMs: fc.constantFrom(0, 1, 199, 200, 10_000, 60_000),
      together: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { kernel, manager } = managerWith()
        const ends = new Map<string, number>()
        let waiting: LeaseRequest[] = []
        for (const { operation, address, lifetimeMs, waitMs, together } of steps) {
          waiting.push(request({ operation: operation as LeaseRequest['operation'], address, lifetimeMs }))
          const end = kernel.nowMs + (lifetimeMs === 0 ? 30_000 : Math.min(lifetimeMs, 100_000))
          const before = ends.get(address)
          const isLive = before !== undefined && before > kernel.nowMs
          if (operation === 'revoke') ends.delete(address)
          else if (operation === 'open' || isLive) ends.set(address, isLive ? Math.max(before, end) : end)
          if (together) continue
          manager.perform(waiting)
          waiting = []
          kernel.nowMs += waitMs
          const expected = [...ends]
            .filter(([, endMs]) => endMs > kernel.nowMs)
            .map(([at, endMs]) => [at, endMs - kernel.nowMs])
          expect(
            manager
              .leases()
              .map((lease) => [lease.address, lease.remainingMs])
              .sort(),
          ).to.deep.equal(expected.sort())
        }
      }),
    )
  })
})
