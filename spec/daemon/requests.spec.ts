/** What the monitor makes of the listener's requests, with a rule manager in front of a kernel in memory. */
import { expect } from 'chai'
import type { ServerConfig } from '../../lib/config/types.js'
import { Chronicle } from '../../lib/daemon/chronicle.js'
import type { Frame } from '../../lib/daemon/frames.js'
import { LATE_MS } from '../../lib/daemon/recheck.js'
import { Requests } from '../../lib/daemon/requests.js'
import type { Message } from '../../lib/daemon/settings.js'
import { RuleManager } from '../../lib/firewall/manager.js'
import { readTemplates } from '../../lib/firewall/templates.js'
import { serverConfig, USER } from '../firewall/support-config.js'
import { MemoryKernel } from '../firewall/support-memory.js'

const NOW = 1_800_000_000_000
const [SSH, WEB, MAIL] = [1, 2, 3]
const [A, B] = ['192.0.2.1', '192.0.2.2'] as const
type RequestFrame = Extract<Frame, { kind: 'request' }>

function begin(limits: Partial<ServerConfig['limits']> = {}) {
  const kernel = new MemoryKernel()
  const plain = serverConfig({ resources: [SSH, WEB, MAIL].map((id) => ({ id, ports: [id] })) })
  const config = { ...plain, limits: { ...plain.limits, ...limits } }
  const parts = { kernel, nft: kernel.nft, config, templates: readTemplates(), now: () => kernel.nowMs, log: () => {} }
  const manager = new RuleManager(parts)
  manager.start({ keep: false })
  const said: string[] = []
  const sent: Message[] = []
  const log = { info: (line: string) => void said.push(line), warn: (line: string) => void said.push(line) }
  const requests = new Requests({
    now: () => ({ wallMs: NOW, monoMs: kernel.nowMs }),
    manager,
    chronicle: new Chronicle({ ...log, error: log.warn }, () => NOW, config),
    config: () => config,
    send: (message) => void sent.push(message),
  })
  const add = (frame: Partial<RequestFrame> = {}) => requests.add({ ...REQUEST, ...frame })
  const leases = () => manager.leases().map(({ resource, address }) => `${resource} ${address}`)
  return { kernel, requests, add, leases, said, sent }
}

const REQUEST: RequestFrame = {
  kind: 'request',
  protocol: 'spa',
  operation: 'open',
  sequence: 0,
  user: USER,
  resource: SSH,
  address: A,
  lifetimeSeconds: 0,
  heardMs: NOW,
  more: 0,
}

describe('requests of the listener', () => {
  it('become one transaction where each stands alone', () => {
    const { kernel, requests, add, leases } = begin()
    const before = kernel.transactions
    add()
    add({ resource: WEB })
    add({ address: B })
    requests.perform()
    expect(leases()).to.deep.equal([`${SSH} ${A}`, `${SSH} ${B}`, `${WEB} ${A}`])
    expect(kernel.transactions).to.equal(before + 1)
    requests.perform()
    expect(kernel.transactions).to.equal(before + 1)
  })

  for (const [what, heardMs] of [
    ['was heard too long ago', NOW - LATE_MS - 1],
    ['was heard before the clock was set back', NOW + LATE_MS + 1],
  ] as const)
    it(`open and prolong nothing where their datagram ${what}, and shut all the same`, () => {
      const { requests, add, leases, said, sent } = begin()
      add({ address: B })
      add({ heardMs, sequence: 7 })
      add({ heardMs, operation: 'extend', address: B, lifetimeSeconds: 900 })
      requests.perform()
      expect(leases()).to.deep.equal([`${SSH} ${B}`])
      expect(said[1]).to.match(/^refused \(it waited too long to be done: 10 s\): open 00000001 for 192\.0\.2\.1/)
      expect(said[2]).to.match(/^refused \(it waited too long/)
      expect(sent).to.deep.equal([{ kind: 'result', sequence: 7, isDone: false }])
      add({ heardMs, operation: 'revoke', address: B })
      requests.perform()
      expect(leases()).to.deep.equal([])
    })

  it('are taken to the very end of their time', () => {
    const { requests, add, leases } = begin()
    add({ heardMs: NOW - LATE_MS })
    requests.perform()
    expect(leases()).to.deep.equal([`${SSH} ${A}`])
  })

  it('of one datagram are all done, whenever the last of them comes', () => {
    const { requests, add, leases } = begin()
    add({ more: 2 })
    requests.perform()
    expect(leases()).to.deep.equal([])
    add({ more: 1, resource: WEB })
    add({ more: 0, resource: MAIL })
    requests.perform()
    expect(leases()).to.deep.equal([`${SSH} ${A}`, `${WEB} ${A}`, `${MAIL} ${A}`])
  })

  it('of one datagram are none of them done where a limit leaves no room for all', () => {
    const { requests, add, leases, said } = begin({ leasesPerUser: 2 })
    add({ more: 2 })
    add({ more: 1, resource: WEB })
    add({ more: 0, resource: MAIL })
    requests.perform()
    expect(leases()).to.deep.equal([])
    expect(said).to.have.length(3)
    for (const line of said) expect(line).to.match(/^refused \(the user has as many leases as he may have: 2 leases\)/)
    add({ more: 1 })
    add({ more: 0, resource: WEB })
    requests.perform()
    expect(leases()).to.deep.equal([`${SSH} ${A}`, `${WEB} ${A}`])
  })

  it('of one datagram are none of them done where one is unknown, late, or not taken by the kernel', () => {
    const { kernel, requests, add, leases } = begin()
    add({ more: 1 })
    add({ resource: 99 })
    add({ more: 1 })
    add({ resource: WEB, heardMs: NOW - LATE_MS - 1 })
    kernel.refused.add('c0000202')
    add({ more: 1 })
    add({ resource: WEB, address: B })
    requests.perform()
    expect(leases()).to.deep.equal([])
  })

  it('are done in the order in which their datagrams came, whether these ask for one or for several', () => {
    const { requests, add, leases } = begin()
    const [open, revoke] = [{ operation: 'open' }, { operation: 'revoke' }] as const
    const both = (frame: Partial<RequestFrame>) => {
      add({ ...frame, more: 1 })
      add({ ...frame, resource: WEB })
    }
    both(open)
    add(revoke)
    requests.perform()
    expect(leases()).to.deep.equal([`${WEB} ${A}`])
    both(revoke)
    add(open)
    requests.perform()
    expect(leases()).to.deep.equal([`${SSH} ${A}`])
  })

  it('are answered to who waits, done or refused, before the log tells of them', () => {
    const { kernel, requests, add, said, sent } = begin({ leasesPerUser: 1 })
    const before = kernel.transactions
    let seen: unknown
    const push = said.push.bind(said)
    said.push = (line) => {
      seen ??= { sent: [...sent], transactions: kernel.transactions - before }
      return push(line)
    }
    add({ protocol: 'letmein', sequence: 7 })
    add({ protocol: 'letmein', sequence: 8, resource: WEB })
    requests.perform()
    expect(said).to.have.length(2)
    const answers = [true, false].map((isDone, i) => ({ kind: 'result', sequence: 7 + i, isDone }))
    expect(seen).to.deep.equal({ sent: answers, transactions: 1 })
  })

  it('that were begun and not gone on with are forgotten', () => {
    const { requests, add, leases } = begin()
    add({ more: 3, resource: MAIL })
    add({ more: 1, resource: MAIL })
    add({ more: 1 })
    requests.forget()
    add({ resource: WEB })
    requests.perform()
    expect(leases()).to.deep.equal([`${WEB} ${A}`])
  })
})
