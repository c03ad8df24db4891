/** The real kernel, each time in a network namespace of its own; what netlink did is held against what `nft` lists. */
import { expect } from 'chai'
import type { TableShape } from '../../../lib/firewall/types.js'
import { inNamespace, type NamespaceOptions } from '../../support/netns-child.js'
import type * as Namespace from './in-namespace.js'

const module = new URL('./in-namespace.ts', import.meta.url)

/** What a function of in-namespace.ts returned. */
function run<Name extends keyof typeof Namespace>(name: Name, options: NamespaceOptions = {}) {
  type Outcome = (typeof Namespace)[Name] extends (...parameters: never[]) => infer Result ? Awaited<Result> : never
  return inNamespace<Outcome>(module, name, options)
}

interface NftElement {
  readonly elem: {
    readonly val: unknown
    readonly timeout: number
    readonly expires: number
    readonly comment?: string
  }
}

describe('NetlinkKernel in a real kernel', () => {
  it('adds elements, and replaces them with their comments and ends', async () => {
    const { first, second, listed, got } = await run('replaces')
    expect(first).to.have.length(1)
    expect((first[0] as NftElement).elem).to.include({ val: '198.18.0.1', timeout: 60, comment: 'u=1' })
    const byAddress = new Map((second as NftElement[]).map(({ elem }) => [elem.val, elem]))
    expect(byAddress.size).to.equal(3)
    expect(byAddress.get('198.18.0.1')).to.include({ timeout: 3600, comment: 'u=2' })
    expect(byAddress.get('198.18.0.2')).to.include({ timeout: 90 })
    expect(byAddress.get('198.18.0.2')!.expires).to.be.within(30, 45)
    expect(byAddress.get('198.18.0.3')!.expires).to.be.within(15, 30)
    const byKey = new Map(listed.map((element) => [element.key, element]))
    expect([...byKey.keys()].sort()).to.deep.equal(['c6120001', 'c6120002', 'c6120003'])
    expect(byKey.get('c6120001')).to.include({ timeoutMs: 3_600_000, comment: 'u=2' })
    expect(byKey.get('c6120002')!.expiresMs).to.be.within(30_000, 45_000)
    const [one, third, none] = got
    expect(one).to.include({ key: 'c6120001', timeoutMs: 3_600_000, comment: 'u=2' })
    expect(third).to.have.property('expiresMs').within(15_000, 30_000)
    expect(none).to.equal('none')
  })

  it('removes what is there and does not mind what is not, twice or more', async () => {
    const { left, byNft, afterFlush, other } = await run('removes')
    expect(left.map((element) => element.key)).to.deep.equal(['c6120002'])
    expect(byNft).to.have.length(1)
    expect(afterFlush).to.deep.equal([])
    expect(other).to.have.length(1)
  })

  it('says that a set is full, and goes on replacing and removing in it', async () => {
    const { full, left } = await run('fills')
    expect(full).to.match(/^full: add: set inet t two: /)
    expect(left).to.deep.equal(['again'])
  })

  it('tells a missing set from a missing table, and does nothing by halves', async () => {
    const outcome = await run('misses')
    expect(outcome.attempts.slice(0, 4)).to.deep.equal(new Array(4).fill('no-set: set inet t none: not there'))
    expect(outcome.attempts.slice(4)).to.deep.equal(new Array(4).fill('no-table: table inet none: not there'))
    expect(outcome.atomic).to.equal('no-set: set inet t none: not there')
    expect(outcome.afterwards).to.deep.equal([])
    expect(outcome.wrongLength).to.match(/^kernel: add: set inet t leases: refused by the kernel \(EINVAL\)/)
    expect(outcome.zero).to.match(/^kernel: timeout of 0 ms: expected more than 0/)
    expect(outcome.comment).to.match(/^kernel: comment "\\"": expected/)
    expect(outcome.still).to.deep.equal([])
  })

  it('puts 50,000 tokens in by one transaction or by several', async () => {
    const outcome = await run('manyElements')
    expect(outcome).to.include({ listed: 50_000, wrong: 0, byNft: 50_000, afterRemove: 0, afterParts: 49_999 })
    expect(outcome.parts).to.be.greaterThan(9)
    expect(outcome.tooLarge).to.match(/^kernel: transaction of [0-9]+ bytes: expected at most 4064$/)
  })

  it('keeps keys of all kinds as the kernel has them', async () => {
    const { byNft, six, listed } = await run('keysOfAllKinds')
    expect((byNft as NftElement[]).map(({ elem }) => elem.val)).to.deep.equal([{ concat: ['198.18.0.1', 'tcp', 22] }])
    expect((six as NftElement[]).map(({ elem }) => elem.val)).to.deep.equal(['fd18:7::1'])
    expect(listed).to.deep.equal([
      ['fd180007000000000000000000000001 ends'],
      ['c61200010600000000160000 ends'],
      ['0000434445464748 ends', '4142434445464748 ends'],
      [`${'30'.repeat(16)} ends`],
      ['c6120009 for ever'],
    ])
  })

  it('does not list what has ended', async () => {
    expect(await run('ends')).to.deep.equal({ before: 2, after: ['c6120002'] })
  })

  it('sees the shape of a table and the base chains of all, and deletes a table that may be gone', async () => {
    const outcome = await run('shapes')
    const shape = outcome.shape as TableShape
    expect(shape.comment).to.equal('postern 1')
    expect(shape.chains).to.deep.equal(['c', 'd'])
    expect(shape.sets).to.deep.equal(['leases', 'leases6', 'services', 'tags', 'tokens', 'two', 'endless'])
    expect(shape.ruleHandles.map(Number)).to.deep.equal(outcome.rules)
    expect(outcome.baseChains).to.deep.equal([
      { family: 1, table: 't', chain: 'c', hook: 0, priority: -151, policy: 'drop' },
    ])
    expect(outcome.ruleAdded).to.equal(1)
    expect(outcome.generations).to.equal(1)
    expect(outcome.gone).to.equal('gone')
    expect(outcome.left).to.equal(1)
  })

  it('does not take what an earlier call left behind for an answer', async () => {
    const { stopped, got, none } = await run('leftovers')
    expect(stopped).to.equal('Error: stopped')
    expect(got).to.include({ key: 'c6120001', timeoutMs: 60_000 })
    expect(none).to.equal('none')
  })

  it('says that the capability is missing', async () => {
    for (const refused of await run('withoutCapability', { unprivileged: true }))
      expect(refused).to.match(/^permission: .*CAP_NET_ADMIN/)
  })
})
