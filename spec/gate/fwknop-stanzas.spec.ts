import { expect } from 'chai'
import fc from 'fast-check'
import type { FwknopStanza } from '../../lib/gate/fwknop-stanza.js'
import { latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import type { FwknopKeys } from '../../lib/wire/fwknop-types.js'
import {
  BARE,
  gateOf,
  heard,
  KEYS,
  NOW,
  OTHER_KEYS,
  packetOf,
  requestsOf,
  stanzaOf,
  tcp,
  udp,
  whyOf,
} from './fwknop-stanza.js'

const TITLE = 'access.conf:1'

describe('the fwknop gate with several stanzas', () => {
  const second = (more: Partial<FwknopStanza>) => stanzaOf({ user: 0xf1000001, title: 'access.conf:9', ...more })

  it('lets the first one that grants win', () => {
    const gate = gateOf(stanzaOf({ leaseSeconds: 11 }), second({ leaseSeconds: 22 }))
    const [request] = requestsOf(gate.judge(heard(packetOf()), NOW))
    expect(request).to.include({ user: 0xf1000000, lifetimeSeconds: 11 })
  })

  for (const [name, first] of [
    ['ports', { openPorts: [udp(53)] }],
    ['restricted ports', { restrictPorts: [tcp(22)] }],
    ['user name', { username: 'bob' }],
    ['required address', { requireAddress: true }],
    ['end', { expiresMs: NOW - 1 }],
    ['source', { sources: [{ address: '10.0.0.0', length: 8 }] }],
    ['keys', { keys: OTHER_KEYS }],
    ['key under the same HMAC', { keys: { ...KEYS, key: latin1Bytes('other') } }],
  ] as const)
    it(`asks the next one where the first has another ${name}`, () => {
      const gate = gateOf(stanzaOf(first as Partial<FwknopStanza>), second({}))
      const [request] = requestsOf(gate.judge(heard(packetOf({ message: '0.0.0.0,tcp/22' })), NOW))
      expect(request!.user).to.equal(0xf1000001)
    })

  it('grants no request in two halves', () => {
    const gate = gateOf(stanzaOf({ openPorts: [tcp(22)] }), second({ openPorts: [udp(53)] }))
    expect(gate.judge(heard(packetOf({ message: '10.1.2.3,tcp/22,udp/53' })), NOW)).to.deep.equal({
      kind: 'silence',
      why: 'ports',
      user: 0xf1000000,
      detail: `${TITLE}: udp/53 is not in OPEN_PORTS; access.conf:9: tcp/22 is not in OPEN_PORTS`,
    })
  })

  it('has the same replay id by whichever stanza a packet is let in', () => {
    const ids = [gateOf(stanzaOf()), gateOf(stanzaOf({ openPorts: [] }), second({}))].map(
      (gate) => requestsOf(gate.judge(heard(packetOf()), NOW))[0]!.replay,
    )
    expect(ids[0]).to.deep.equal(ids[1])
  })

  it('tells no more than four of many', () => {
    const stanzas = Array.from({ length: 9 }, (_, i) => stanzaOf({ title: `a:${i}`, openPorts: [] }))
    const verdict = gateOf(...stanzas).judge(heard(packetOf()), NOW)
    expect(verdict)
      .to.have.property('detail')
      .which.matches(/^a:0: [^;]+; a:1: [^;]+; a:2: [^;]+; a:3: [^;]+; 5 stanzas more$/)
  })

  it('computes an HMAC once, however many stanzas have its key', () => {
    const shared = Array.from({ length: 50 }, () => stanzaOf())
    const digest = { ...KEYS, hmac: { ...KEYS.hmac!, digest: 'md5' } } as const
    expect(
      gateOf(...shared, stanzaOf({ keys: OTHER_KEYS }), stanzaOf({ keys: digest }), stanzaOf({ keys: BARE })).macs,
    ).to.equal(3)
  })
})

describe('the fwknop gate without HMAC', () => {
  const bare = stanzaOf({ keys: BARE })
  const packet = packetOf({}, BARE)

  it('lets a packet in that a stanza without HMAC decrypts', () => {
    expect(whyOf(gateOf(bare).judge(heard(packet), NOW))).to.equal('22')
    expect(whyOf(gateOf(stanzaOf(), bare).judge(heard(packet), NOW))).to.equal('22')
  })

  it('lets none in where all stanzas have one', () => {
    expect(gateOf(stanzaOf({ keys: { ...KEYS, key: BARE.key } })).judge(heard(packet), NOW)).to.deep.equal({
      kind: 'silence',
      why: 'hmac',
    })
  })

  it('names nobody where no key decrypts it', () => {
    const other = stanzaOf({ keys: { ...BARE, key: latin1Bytes('?') } })
    expect(gateOf(other).judge(heard(packet), NOW)).to.deep.equal({ kind: 'silence', why: 'text' })
  })

  it('does not ask a stanza without HMAC once an HMAC was right', () => {
    const { hmac: _, ...keys } = KEYS
    const gate = gateOf(stanzaOf({ openPorts: [] }), stanzaOf({ keys }))
    expect(gate.judge(heard(packetOf()), NOW)).to.include({
      why: 'ports',
      detail: `${TITLE}: tcp/22 is not in OPEN_PORTS`,
    })
  })

  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const unusedBits = `${packet.slice(0, -1)}${alphabet[alphabet.indexOf(packet.at(-1)!) ^ 1]}`
  for (const [name, copy] of [
    ['= at its end', `${packet}=`],
    ['==AAA at its end', `${packet}==AAA`],
    ['its unused bits changed', unusedBits],
  ] as const)
    it(`knows a copy again that has ${name}`, () => {
      const gate = gateOf(bare)
      const [one] = requestsOf(gate.judge(heard(packet), NOW))
      const [two] = requestsOf(gate.judge(heard(copy), NOW))
      expect(copy).to.not.equal(packet)
      expect(two!.replay).to.deep.equal(one!.replay)
    })

  for (const mode of ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy'] as const)
    it(`has no copy of a packet in ${mode} that is let in and is another to the window`, () => {
      const keys: FwknopKeys = { ...BARE, mode }
      const gate = gateOf(stanzaOf({ keys }))
      // A text of whole blocks has a block of padding that can be cut off.
      const made = packetOf({ username: 'aaaaaaaa' }, keys)
      const { id } = requestsOf(gate.judge(heard(made), NOW))[0]!.replay
      let again = 0
      const near = fc.tuple(fc.nat(made.length - 1), fc.constantFrom(...alphabet, ''), fc.nat(24))
      fc.assert(
        fc.property(near, ([at, character, cut]) => {
          const copy = `${made.slice(0, at)}${character}${made.slice(at + 1)}`.slice(0, made.length - cut)
          const verdict = gate.judge(heard(copy), NOW)
          if (verdict.kind === 'silence') return
          again++
          expect(verdict.requests[0]!.replay.id).to.deep.equal(id)
        }),
        { numRuns: 3000 },
      )
      expect(again).to.be.above(0)
    })
})
