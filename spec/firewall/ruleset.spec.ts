import { expect } from 'chai'
import {
  isLetmeinComment,
  isRuleComment,
  jumpComment,
  leaseComment,
  ownerOf,
  portComment,
} from '../../lib/firewall/comments.js'
import { parseSetName, setName } from '../../lib/firewall/names.js'
import { nftProgram } from '../../lib/firewall/nft.js'
import { elementText, timeText } from '../../lib/firewall/nft-text.js'
import { hostTable, missingTarget, ownTable } from '../../lib/firewall/ruleset.js'
import { fill } from '../../lib/firewall/template.js'
import { readTemplates } from '../../lib/firewall/templates.js'
import { FirewallError } from '../../lib/firewall/types.js'
import { type Choices, serverConfig } from './support-config.js'

const templates = readTemplates()

describe('a ruleset file', () => {
  it('is filled in, without its comments', () => {
    const template =
      '# what it is\n\nset <name> { }   # why\n\tone #if a\n\ttwo #if !a and b\n\tsaddr <net> drop   #each net\n'
    expect(fill(template, { name: 'x', a: false, b: true, net: ['10.0.0.0/8', '::/0'] })).to.equal(
      'set x { }\n\ttwo\n\tsaddr 10.0.0.0/8 drop\n\tsaddr ::/0 drop\n',
    )
  })

  it('refuses words that are not there and words that could become another statement', () => {
    for (const words of [{}, { w: true }, { w: 'a"b' }, { w: 'a; drop' }, { w: 'a\nb' }, { w: 'a#b' }])
      expect(() => fill('x <w>', words), JSON.stringify(words)).to.throw(FirewallError)
    expect(() => fill('x #if c', {})).to.throw(FirewallError, 'condition "c"')
    expect(() => fill('x #each l', { l: 'text' })).to.throw(FirewallError, 'list "l"')
  })
})

describe('the ruleset', () => {
  const config = serverConfig({
    resources: [{ id: 1 }, { id: 0xabc, ports: [80, [6000, 6010]], protocols: ['tcp', 'udp'], instant: true }],
  })

  it('has a line for each set, and knows its chains, sets and rules', () => {
    const { sets, chains, text } = ownTable(config, templates, 'drop')
    expect([...sets.keys()]).to.deep.equal([
      'tags',
      'used',
      'lease4_00000001',
      'lease6_00000001',
      'lease4_00000ABC',
      'lease6_00000ABC',
      'inst_00000ABC',
    ])
    expect([...chains]).to.include.members([
      'pre',
      'hear',
      'heard',
      'closed',
      'r_00000001',
      'instant_00000ABC',
      'guard',
      'out',
    ])
    expect(text).to.include(
      'tcp dport vmap { 22 : goto r_00000001, 80 : goto r_00000ABC, 6000-6010 : goto r_00000ABC }',
    )
    expect(text).to.include('define guarded_udp = { 80, 6000-6010 }')
  })

  it('has another fingerprint for another configuration, not for another way to look shut', () => {
    const mark = (wanted = config, closed: 'drop' | 'reject' = 'drop') =>
      [...ownTable(wanted, templates, closed).chains].find((chain) => chain.startsWith('shape_'))
    expect(mark(config, 'reject')).to.equal(mark())
    expect(mark(serverConfig({ resources: [{ id: 1 }] }))).to.not.equal(mark())
  })

  it('hears nothing where SPA is off, and guards nothing where there is nothing', () => {
    const { text, chains } = ownTable(serverConfig({ resources: [], spa: { enabled: false } }), templates, 'drop')
    expect(text).to.not.match(/@tags|guarded_|heard_ports/)
    expect(chains.has('out')).to.equal(false)
  })

  it('every set has an end for its elements and a bound', () => {
    const { sets } = ownTable(config, templates, 'drop')
    for (const declaration of sets.values()) expect(declaration).to.match(/ timeout \w+; .*size \d+;/)
    const lane = ownTable(serverConfig({ resources: [], letmein: { enabled: true } }), templates, 'drop').sets
    expect(lane.size).to.equal(7)
    // Who has a key opens nothing.
    for (const [name, declaration] of lane)
      expect(declaration).to.match(name === 'letmein_users' ? /size \d+;/ : / timeout \w+; .*size \d+;/)
  })

  it('has letmein’s lane where letmein is heard over UDP, and remembers a source until it has its burst again', () => {
    const textOf = (letmein: Choices['letmein']) =>
      ownTable(serverConfig({ resources: [], ...(letmein && { letmein }) }), templates, 'drop').text
    for (const off of [undefined, { enabled: true, ports: { udp: [], tcp: [5800] } }])
      expect(textOf(off)).to.not.include('letmein')
    expect(textOf({ enabled: true }))
      .to.include('limit rate 10/second burst 20 packets')
      .and.include('timeout 5s')
    const slow = textOf({ enabled: true, rate: 2, burst: 1000, rateAll: 7, burstAll: 9 })
    expect(slow).to.include('set letmein_met4 { type ipv4_addr; flags dynamic, timeout; timeout 8m20s; size 65536; }')
    expect(slow).to.include('limit rate 7/second burst 9 packets log group 5800')
    expect(textOf({ enabled: true, ports: { udp: 'any', tcp: [] } })).to.not.include('letmein_ports')
  })

  it('asks a set for the protocol only in a rule that names none, for nft 1.1 takes the two for different ones', () => {
    const trialEndsMs = Date.now() + 60_000
    const { text } = ownTable(serverConfig({ resources: [{ id: 1 }], firewall: { trialEndsMs } }), templates, 'drop')
    const asking = text.split('\n').filter((line) => /meta l4proto @/.test(line))
    expect(asking).to.have.length(1)
    expect(asking[0]).to.not.match(/tcp|udp|th dport/)
  })

  it('leaves out a jump whose target is not there', () => {
    const jump = { hook: 'input', chain: 'MORE', matchSource: true } as const
    const chain = { family: 'inet', table: 'filter', input: 'IN' } as const
    const wanted = serverConfig({
      resources: [{ id: 1 }, { id: 2, target: { kind: 'jump', jumps: [jump, { ...jump, hook: 'forward' }] } }],
      firewall: { mode: 'chain', chain },
    })
    expect(hostTable(wanted, templates, new Set(['MORE']))!.text).to.not.include('00000002')
    expect(missingTarget(wanted.resources.get(2)!, wanted, new Set(['MORE']))).to.equal(
      'a jump: expected chain-forward in [NFTABLES]',
    )
    const both = { ...wanted, firewall: { ...wanted.firewall, chain: { ...chain, forward: 'FWD' } } }
    expect(missingTarget(wanted.resources.get(2)!, both, new Set())).to.equal(
      'chain MORE: expected it in table inet filter',
    )
    expect(hostTable(both, templates, new Set(['MORE']))!.text).to.include(
      'insert rule inet filter FWD ip6 saddr @postern_lease6_00000002 jump MORE',
    )
  })
})

describe('names and texts', () => {
  it('of sets are read back as they are made, and no others', () => {
    for (const where of ['own', 'host'] as const)
      expect(parseSetName(setName('conn6', 0xabc, where), where)).to.deep.equal({ kind: 'conn6', resource: 0xabc })
    expect(parseSetName('lease4_00000ABC', 'host')).to.equal(undefined)
    for (const name of ['postern_lease4_00000ABC', 'lease4_abc', 'tags', 'lease4_0000ABCDE'])
      expect(parseSetName(name, 'own')).to.equal(undefined)
  })

  it('a comment says who opened what, or that nobody did', () => {
    expect(leaseComment(0x2a, 1, '192.0.2.7', 'own')).to.equal('user=0000002A resource=00000001')
    expect(leaseComment(0x2a, 1, '192.0.2.7', 'host')).to.equal(
      'user=0000002A resource=00000001 ::ffff:192.0.2.7/LETMEIN',
    )
    for (const where of ['own', 'host'] as const) {
      expect(ownerOf(leaseComment(0x2a, 1, 'fd00::1', where))).to.deep.equal({ by: 'user', user: 0x2a })
      expect(ownerOf(leaseComment(undefined, 1, 'fd00::1', where))).to.deep.equal({ by: 'admin' })
    }
    for (const comment of [undefined, '', 'mine']) expect(ownerOf(comment)).to.deep.equal({ by: 'kernel' })
  })

  it('a rule’s comment is letmein’s but for the address, and told from one that letmeinfwd made', () => {
    const portsOf = (ports: readonly (number | readonly [number, number])[]) =>
      portComment(serverConfig({ resources: [{ id: 0x16, ports, protocols: ['tcp', 'udp'] }] }).resources.get(0x16)!)
    expect(portsOf([22])).to.equal('postern/00000016/port/22/TCP,UDP/accept/LETMEIN')
    expect(portsOf([22, [6000, 6010]])).to.equal('postern/00000016/port/22,6000-6010/TCP,UDP/accept/LETMEIN')
    const many = portsOf(Array.from({ length: 500 }, (_, i) => 10_000 + 2 * i))
    expect(many).to.match(/\/10000,10002,[0-9,]+,\.\.\.\/TCP,UDP\/accept\/LETMEIN$/)
    const ours = [many, portsOf([22]), jumpComment(4, 'C'.repeat(64)), 'postern/any/port/5800/TCP/accept/LETMEIN']
    for (const comment of ours) {
      expect(comment).to.have.lengthOf.below(128)
      expect([isRuleComment(comment), isLetmeinComment(comment)], comment).to.deep.equal([true, false])
    }
    for (const comment of ['any/port/5800/UDP/accept/LETMEIN', '::ffff:10.0.0.2/00000004/TGT-IN/LETMEIN'])
      expect([isRuleComment(comment), isLetmeinComment(comment)], comment).to.deep.equal([false, true])
    for (const comment of [undefined, 'postern', 'postern/LETMEIN', 'LETMEIN', 'for LETMEIN/s sake'])
      expect(isRuleComment(comment), comment).to.equal(false)
    for (const comment of [undefined, 'LETMEIN', 'for LETMEIN/s sake'])
      expect(isLetmeinComment(comment), comment).to.equal(false)
  })

  it('a time is never nothing, which would mean for ever', () => {
    expect(timeText(90_061_001)).to.equal('1d1h1m1s1ms')
    expect(timeText(1.4)).to.equal('1ms')
    for (const ms of [0, 0.4, -1, Number.NaN]) expect(() => timeText(ms)).to.throw(RangeError)
    expect(elementText({ key: Uint8Array.of(192, 0, 2, 7), timeoutMs: 30_000, expiresMs: 250, comment: 'c' })).to.equal(
      '192.0.2.7 timeout 30s expires 250ms comment "c"',
    )
  })
})

describe('the nft program', () => {
  const codeOf = (act: () => unknown) => {
    try {
      act()
    } catch (error) {
      if (error instanceof FirewallError) return { code: error.code, message: error.message }
      throw error
    }
    return undefined
  }

  it('that is not there is named, with what to do', () => {
    expect(codeOf(() => nftProgram('/nowhere/nft').check(''))).to.deep.equal({
      code: 'missing',
      message: '/nowhere/nft: no such program: install nftables, or name it in [NFTABLES] exe',
    })
  })

  it('refuses in one line, without keys', () => {
    const { code, message } = codeOf(() =>
      nftProgram('nft').check('add element inet x y { 0x00112233445566778899aabbccddeeff }\n'),
    )!
    expect(code).to.be.oneOf(['no-chain', 'permission'])
    expect(message).to.not.include('\n').and.not.include('112233')
  })
})
