/** What a real kernel tells, each time in a network namespace of its own. */
import { expect } from 'chai'
import { inNamespace, type NamespaceOptions } from '../../support/netns-child.js'
import type * as Namespace from './hearing-in-namespace.js'

const module = new URL('./hearing-in-namespace.ts', import.meta.url)

/** What a function of hearing-in-namespace.ts returned. */
function run<Name extends keyof typeof Namespace>(name: Name, options: NamespaceOptions = {}) {
  type Outcome = (typeof Namespace)[Name] extends (...parameters: never[]) => infer Result ? Awaited<Result> : never
  return inNamespace<Outcome>(module, name, options)
}

describe('a real kernel', () => {
  it('names the parts that the kernel has', async () => {
    expect(await run('probes')).to.deep.equal({
      parts: { nfTables: true, nflog: true, conntrack: true },
      stillRight: 'none',
    })
  })
})

describe('a read that waits', () => {
  for (const unprivileged of [false, true]) {
    it(`is woken by one ${unprivileged ? 'without' : 'with'} capabilities`, async () => {
      expect(await run('wakes', { sockets: ['--log'], unprivileged })).to.deep.equal([2])
    })
  }
})

describe('events of a real kernel', () => {
  it('tell who took the ruleset away, and nothing of what the command socket did', async () => {
    const outcome = await run('hearsChanges', { sockets: ['--events'] })
    expect(outcome.made.flatMap((event) => (event.kind === 'chain' ? [event.name] : []))).to.deep.equal(['c', 'd'])
    expect(outcome.foreignElement).to.have.length(2)
    expect(outcome.foreignElement[0]).to.include({ kind: 'elements', change: 'made', table: 't', name: 'leases' })
    expect(outcome.foreignElement[1]).to.include({ kind: 'generation', program: 'nft' })
    const table = outcome.flushed.find((event) => event.kind === 'table')
    expect(table).to.deep.equal({
      kind: 'table',
      change: 'deleted',
      family: 1,
      table: 't',
      handle: outcome.handle,
      portid: 1,
    })
    expect(outcome.overruns).to.equal(0)
  })
})

describe('a full buffer of events', () => {
  it('is counted, and what was kept and what comes after is read', async () => {
    const { events, before, after } = await run('overruns', { sockets: ['--events', '--log'] })
    expect(before).to.be.greaterThan(0)
    expect(events).to.be.within(1000, 79_999)
    expect(after).to.deep.equal(['deleted'])
  })
})

describe('NFLOG of a real kernel', () => {
  it('copies datagrams of both families with group and prefix; one that is longer than the copy is none', async () => {
    const { taken, ports, packets, datagrams } = await run('hearsDatagrams', { sockets: ['--events', '--log'] })
    expect(taken).to.match(/^permission: NFLOG group 6: /)
    expect(packets).to.deep.equal([
      { group: 6, prefix: 'postern instant 00000022', inputInterface: 1, bytes: 33 },
      { group: 5, prefix: '', inputInterface: 1, bytes: 448 },
      { group: 5, prefix: '', inputInterface: 1, bytes: 1024 },
    ])
    const [first, second] = ports
    expect(datagrams).to.deep.equal([
      { bytes: 'knock', source: '127.0.0.1', sourcePort: first, destination: '127.0.0.1', destinationPort: 5800 },
      { bytes: 'a'.repeat(400), source: '::1', sourcePort: second, destination: '::1', destinationPort: 5801 },
      'none',
    ])
  })
})
