import { expect } from 'chai'
import fc from 'fast-check'
import { type Json, readListing } from '../../../lib/firewall/host/listing.js'
import type { Probe } from '../../../lib/firewall/host/matches.js'
import { fateIn, untracking } from '../../../lib/firewall/host/walk.js'

const SSH: Probe = { family: 4, protocol: 'tcp', port: 22, state: 'new' }
const dport = (right: Json, protocol = 'tcp') => ({
  match: { op: '==', left: { payload: { protocol, field: 'dport' } }, right },
})
const state = (right: Json) => ({ match: { op: 'in', left: { ct: { key: 'state' } }, right } })
const from = (right: Json) => ({ match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right } })
const to = (addr: string, len: number) => ({
  match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: { prefix: { addr, len } } },
})
const CONTAINER: Probe = { ...SSH, behind: { device: 'docker0', address: '172.17.0.2' } }
const meta = (key: string, right: Json) => ({ match: { op: '==', left: { meta: { key } }, right } })
const ACCEPT = { accept: null }
const DROP = { drop: null }
const COUNTER = { counter: { packets: 0, bytes: 0 } }

/** What input chain `input` with these rules, and a chain `more`, does with it. */
function fate(rules: Json[][], { policy = 'drop', more = [] as Json[][], probe = SSH } = {}) {
  const chain = (name: string, base = {}) => ({ chain: { family: 'inet', table: 't', name, handle: 1, ...base } })
  const rule = (name: string) => (expr: Json[], i: number) => ({
    rule: { family: 'inet', table: 't', chain: name, handle: i + 10, expr },
  })
  const text = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 't', handle: 1 } },
      chain('input', { type: 'filter', hook: 'input', prio: 0, policy }),
      chain('more'),
      ...rules.map(rule('input')),
      ...more.map(rule('more')),
    ],
  })
  const chains = readListing(text)
  const { verdict, rule: by } = fateIn(chains[0]!, chains, probe)
  return by === undefined ? verdict : `${verdict} ${by.chain} ${by.handle}`
}

describe('what a host’s own ruleset does with a port', () => {
  const cases: [string, string, Json[][], { policy?: string; more?: Json[][]; probe?: Probe }?][] = [
    ['the policy where nothing matches', 'drop', []],
    ['the policy that accepts', 'accept', [], { policy: 'accept' }],
    ['a port', 'accept input 10', [[dport(22), COUNTER, ACCEPT]]],
    ['another port', 'drop', [[dport(23), ACCEPT]]],
    ['another protocol', 'drop', [[dport(22, 'udp'), ACCEPT]]],
    ['a port by th', 'accept input 10', [[meta('l4proto', 'tcp'), dport(22, 'th'), ACCEPT]]],
    ['a set written out', 'accept input 10', [[dport({ set: [80, { range: [20, 30] }] }), ACCEPT]]],
    [
      'a set with an element that counts',
      'accept input 10',
      [[dport({ set: [{ elem: { val: 22, comment: 'x' } }] }), ACCEPT]],
    ],
    ['a named set, which nobody looked into', 'unsure', [[dport('@ports'), ACCEPT]]],
    ['a network that a container is in', 'accept input 10', [[to('172.16.0.0', 12), ACCEPT]], { probe: CONTAINER }],
    ['a network that it is not in', 'drop', [[to('172.32.0.0', 12), ACCEPT]], { probe: CONTAINER }],
    ['a network of the other family', 'drop', [[to('ac11::', 16), ACCEPT]], { probe: CONTAINER }],
    ['some senders only', 'unsure', [[from('192.0.2.7'), dport(22), ACCEPT]]],
    [
      'some senders, and then all',
      'accept input 11',
      [
        [from('192.0.2.7'), ACCEPT],
        [dport(22), ACCEPT],
      ],
    ],
    [
      'some senders dropped, and then all accepted',
      'unsure',
      [
        [from('192.0.2.7'), DROP],
        [dport(22), ACCEPT],
      ],
    ],
    ['what is established', 'drop', [[state(['established', 'related']), ACCEPT]]],
    [
      'what is established, of one that is',
      'accept input 10',
      [[state({ set: ['established', 'related'] }), ACCEPT]],
      { probe: { ...SSH, state: 'established' } },
    ],
    ['what comes by lo', 'drop', [[meta('iifname', 'lo'), ACCEPT]]],
    ['what comes by some interface', 'unsure', [[meta('iifname', 'eth0'), ACCEPT]]],
    ['a rate', 'unsure', [[dport(22), { limit: { rate: 1, per: 'second' } }, ACCEPT]]],
    ['a match of iptables’ own', 'unsure', [[{ xt: { type: 'match', name: 'recent' } }, ACCEPT]]],
    ['a reject', 'drop input 10', [[dport(22), { reject: null }]], { policy: 'accept' }],
    ['another family', 'drop', [[meta('nfproto', 'ipv6'), ACCEPT]]],
    ['a jump', 'accept more 10', [[{ jump: { target: 'more' } }]], { more: [[dport(22), ACCEPT]] }],
    [
      'a jump that comes back',
      'accept input 11',
      [[{ jump: { target: 'more' } }], [dport(22), ACCEPT]],
      { more: [[{ return: null }], [DROP]] },
    ],
    [
      'a goto, behind which nothing is met',
      'drop',
      [[{ goto: { target: 'more' } }], [dport(22), ACCEPT]],
      { more: [[dport(23), ACCEPT]] },
    ],
    ['a jump for some', 'unsure', [[from('192.0.2.7'), { jump: { target: 'more' } }]], { more: [[dport(22), ACCEPT]] }],
    [
      'a jump to itself, for ever',
      'unsure',
      [[{ jump: { target: 'more' } }]],
      { more: [[{ jump: { target: 'more' } }]] },
    ],
    [
      'a verdict map',
      'accept input 10',
      [
        [
          {
            vmap: {
              key: { payload: { protocol: 'tcp', field: 'dport' } },
              data: {
                set: [
                  [80, DROP],
                  [22, ACCEPT],
                ],
              },
            },
          },
        ],
      ],
    ],
    [
      'a verdict map with nothing for it',
      'drop',
      [[{ vmap: { key: { payload: { protocol: 'tcp', field: 'dport' } }, data: { set: [[80, ACCEPT]] } } }]],
    ],
    [
      'a named verdict map',
      'unsure',
      [[{ vmap: { key: { payload: { protocol: 'tcp', field: 'dport' } }, data: '@map' } }]],
    ],
    ['a lease of ours, which a stranger has not', 'drop', [[from('@postern_lease4_00000001'), dport(22), ACCEPT]]],
  ]
  for (const [what, expected, rules, more] of cases)
    it(`${what}: ${expected}`, () => expect(fate(rules, more)).to.equal(expected))

  it('is told of no-tracking rules that are met for certain', () => {
    const chains = readListing(
      JSON.stringify({
        nftables: [
          { chain: { family: 'inet', table: 't', name: 'pre', type: 'filter', hook: 'prerouting', prio: -300 } },
          { rule: { family: 'inet', table: 't', chain: 'pre', handle: 7, expr: [from('@some'), { notrack: null }] } },
          { rule: { family: 'inet', table: 't', chain: 'pre', handle: 8, expr: [dport(22), { notrack: null }] } },
        ],
      }),
    )
    expect(untracking(chains[0]!, chains, SSH)?.handle).to.equal(8)
    expect(untracking(chains[0]!, chains, { ...SSH, port: 23 })).to.equal(undefined)
  })

  it('never throws, whatever statements there are', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.jsonValue({ maxDepth: 4 }))), (rules) => {
        expect(fate(rules as Json[][])).to.be.a('string')
      }),
    )
  })
})
