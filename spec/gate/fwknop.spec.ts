import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { FWKNOP_REPLAY_USER, type FwknopStanza } from '../../lib/gate/fwknop-stanza.js'
import type { Datagram } from '../../lib/gate/verdict.js'
import { latin1Bytes } from '../../lib/wire/fwknop-base64.js'
import { encodeText, type FwknopMessage } from '../../lib/wire/fwknop-text.js'
import { bytes } from '../wire/fwknop-message.js'
import {
  BARE,
  gateOf,
  heard,
  KEYS,
  messageOf,
  NOW,
  OTHER_KEYS,
  packetOf,
  requestsOf,
  SOURCE,
  stanzaOf,
  tcp,
  udp,
  whyOf,
} from './fwknop-stanza.js'

describe('the fwknop gate', () => {
  it('makes a request of a packet that a stanza lets in', () => {
    expect(gateOf(stanzaOf()).judge(heard(packetOf()), NOW)).to.deep.equal({
      kind: 'requests',
      requests: [
        {
          protocol: 'fwknop',
          operation: 'open',
          user: 0xf1000000,
          resource: 0x22,
          address: '10.1.2.3',
          addressSigned: true,
          lifetimeSeconds: 30,
          replay: {
            user: FWKNOP_REPLAY_USER,
            id: Uint8Array.from(createHash('sha256').update(encodeText(messageOf())).digest()),
            timeMs: NOW,
            expiresMs: NOW + 120_000,
          },
        },
      ],
    })
  })

  /** What the packet says, what the stanza says, and what comes of it: a reason, or the resources. */
  const TABLE: readonly (readonly [string, Partial<FwknopMessage>, Partial<FwknopStanza>, string])[] = [
    ['asks for two ports', { message: '10.1.2.3,tcp/22,udp/53' }, {}, '22,53'],
    ['asks for one port twice', { message: '10.1.2.3,tcp/22,tcp/22' }, {}, '22'],
    ['asks for a port with leading zeros', { message: '10.1.2.3,tcp/00022' }, {}, '22'],
    ['asks for a port that is not in OPEN_PORTS', { message: '10.1.2.3,tcp/80' }, {}, 'ports'],
    ['asks for one port that is and one that is not', { message: '10.1.2.3,tcp/22,tcp/80' }, {}, 'ports'],
    ['asks for the same port of the other protocol', { message: '10.1.2.3,udp/22' }, {}, 'ports'],
    ['asks for a port that is there twice in OPEN_PORTS', {}, { openPorts: [tcp(22), tcp(22)] }, '22'],
    ['asks for a port of RESTRICT_PORTS', {}, { restrictPorts: [tcp(22)] }, 'restricted'],
    ['asks for another than RESTRICT_PORTS has', {}, { restrictPorts: [tcp(80), udp(22)] }, '22'],
    ['asks for what nothing guards', { message: '10.1.2.3,tcp/99' }, { openPorts: [tcp(99)] }, 'unguarded'],
    ['asks for half of a resource', { message: '10.1.2.3,tcp/80' }, { openPorts: [tcp(80)] }, 'ports'],
    ['asks for all of a resource', { message: '10.1.2.3,tcp/80,tcp/443' }, { openPorts: [tcp(80), tcp(443)] }, '80'],
    [
      'asks for half of a resource, the other half restricted',
      { message: '10.1.2.3,tcp/80' },
      { openPorts: [tcp(80), tcp(443)], restrictPorts: [tcp(443)] },
      'restricted',
    ],
    ['names a port that has a list of users', { message: '1.2.3.4,tcp/8080' }, { openPorts: [tcp(8080)] }, '8080'],
    ['was made 120 s ago', { timeSeconds: NOW / 1000 - 120 }, {}, '22'],
    ['was made 121 s ago', { timeSeconds: NOW / 1000 - 121 }, {}, 'age'],
    ['is made 120 s from now', { timeSeconds: NOW / 1000 + 120 }, {}, '22'],
    ['is made 121 s from now', { timeSeconds: NOW / 1000 + 121 }, {}, 'age'],
    ['has no time', { timeSeconds: 0 }, {}, 'age'],
    ['leaves the address to its source', { message: '0.0.0.0,tcp/22' }, {}, '22'],
    ['leaves it, and may not', { message: '0.0.0.0,tcp/22' }, { requireAddress: true }, 'address-required'],
    ['names an address that it must name', {}, { requireAddress: true }, '22'],
    ['names an address with leading zeros', { message: '10.01.02.03,tcp/22' }, {}, 'address'],
    ['names an address of all zeros in other words', { message: '00.0.0.0,tcp/22' }, {}, 'address'],
    ['names a network of nobody', { message: '0.1.2.3,tcp/22' }, {}, 'address'],
    ['names a multicast address', { message: '224.0.0.1,tcp/22' }, {}, 'address'],
    ['names everybody', { message: '255.255.255.255,tcp/22' }, {}, 'address'],
    ['has the user name', {}, { username: 'alice' }, '22'],
    ['has the user name in another case', {}, { username: 'Alice' }, 'username'],
    ['has another user name', { username: 'mallory' }, { username: 'alice' }, 'username'],
    ['comes ahead of the end', {}, { expiresMs: NOW + 1 }, '22'],
    ['comes at the end', {}, { expiresMs: NOW }, 'expired'],
    ['asks for a command', { type: 0, message: '10.1.2.3,id' }, {}, 'command'],
    ['asks for NAT', { type: 2, natAccess: '10.0.0.1,22' }, {}, 'nat'],
    ['asks for NAT for a time', { type: 4, natAccess: '10.0.0.1,22', timeoutSeconds: 9 }, {}, 'nat'],
    ['asks for local NAT', { type: 5, natAccess: '10.0.0.1,22' }, {}, 'nat'],
    ['asks for local NAT for a time', { type: 6, natAccess: '10.0.0.1,22', timeoutSeconds: 9 }, {}, 'nat'],
    ['has a server_auth', { serverAuth: 'crypt,secret' }, {}, '22'],
    ['comes from SOURCE', {}, { sources: [{ address: '192.0.2.0', length: 24 }] }, '22'],
    [
      'comes from the last of two',
      {},
      {
        sources: [
          { address: '10.0.0.0', length: 8 },
          { address: SOURCE, length: 32 },
        ],
      },
      '22',
    ],
    ['comes from half a byte of SOURCE', {}, { sources: [{ address: '192.0.2.4', length: 30 }] }, '22'],
    ['comes from elsewhere', {}, { sources: [{ address: '192.0.2.0', length: 30 }] }, 'source'],
    ['goes to DESTINATION', {}, { destinations: [{ address: '192.0.2.1', length: 32 }] }, '22'],
    ['goes elsewhere', {}, { destinations: [{ address: '192.0.2.2', length: 32 }] }, 'source'],
    ['has other keys', {}, { keys: OTHER_KEYS }, 'hmac'],
    ['has the HMAC of another digest', {}, { keys: { ...KEYS, hmac: { ...KEYS.hmac!, digest: 'sha3_256' } } }, 'hmac'],
    ['has the HMAC, but another key', {}, { keys: { ...KEYS, key: latin1Bytes('other') } }, 'text'],
    ['has the HMAC, but another mode', {}, { keys: { ...KEYS, mode: 'ctr' } }, 'text'],
    ['has an HMAC that the stanza has not', {}, { keys: { key: KEYS.key, mode: 'cbc' } }, 'text'],
  ]
  for (const [name, message, stanza, expected] of TABLE)
    it(`a packet that ${name}: ${expected}`, () => {
      const verdict = gateOf(stanzaOf(stanza)).judge(heard(packetOf(message)), NOW)
      expect(whyOf(verdict)).to.equal(expected)
    })

  for (const [name, more, expected] of [
    ['what is guarded', { message: '10.1.2.3,tcp/443' }, '80'],
    ['what is not', { message: '10.1.2.3,tcp/99' }, 'unguarded'],
    ['what has a list of users', { message: '10.1.2.3,tcp/8080' }, 'ports'],
  ] as const)
    it(`without OPEN_PORTS, ${name}: ${expected}`, () => {
      const { openPorts: _, ...stanza } = stanzaOf()
      expect(whyOf(gateOf(stanza).judge(heard(packetOf(more)), NOW))).to.equal(expected)
    })

  for (const [timeoutSeconds, leaseSeconds, maxSeconds, expected] of [
    [0, 30, 300, 30],
    [60, 30, 300, 60],
    [301, 30, 300, 300],
    [65536, 30, 10, 10],
    [0, 60, 10, 60],
    [1, 30, 300, 1],
  ] as const)
    it(`opens for ${expected} s where the client asks for ${timeoutSeconds}, FW_ACCESS_TIMEOUT is ${leaseSeconds}, MAX_FW_TIMEOUT ${maxSeconds}`, () => {
      const packet = packetOf({ type: timeoutSeconds > 0 ? 3 : 1, timeoutSeconds })
      const [request] = requestsOf(gateOf(stanzaOf({ leaseSeconds, maxSeconds })).judge(heard(packet), NOW))
      expect(request!.lifetimeSeconds).to.equal(expected)
    })

  for (const source of [SOURCE, '2001:db8::7'])
    it(`opens for ${source} where that is the source and the packet leaves it to it`, () => {
      const datagram = heard(packetOf({ message: '0.0.0.0,tcp/22' }), { source })
      const [request] = requestsOf(gateOf(stanzaOf()).judge(datagram, NOW))
      expect(request).to.include({ address: source, addressSigned: false })
    })

  it('takes no IPv6 source for one of IPv4 prefixes', () => {
    const stanza = stanzaOf({ sources: [{ address: '0.0.0.0', length: 0 }] })
    const judge = (way: Partial<Datagram>) => whyOf(gateOf(stanza).judge(heard(packetOf(), way), NOW))
    expect(judge({ source: '2001:db8::7' })).to.equal('source')
    expect(judge({ source: SOURCE })).to.equal('22')
  })

  it('makes one request for each resource, all with one replay id and one user', () => {
    const packet = packetOf({ message: '10.1.2.3,tcp/22,udp/53' })
    const [first, second, ...more] = requestsOf(gateOf(stanzaOf()).judge(heard(packet), NOW))
    expect(more).to.deep.equal([])
    expect(second).to.deep.equal({ ...first, resource: 0x53 })
    expect(second!.replay).to.equal(first!.replay)
  })
})

describe('the fwknop gate and bytes that are none of its', () => {
  const gate = gateOf(stanzaOf(), stanzaOf({ keys: OTHER_KEYS }), stanzaOf({ keys: BARE }))
  const judge = (text: string) => gate.judge(heard(text), NOW)
  const packet = packetOf()

  for (const [name, text, why] of [
    ['139 characters', '+'.padEnd(139, 'A'), 'length'],
    ['476 characters', '+'.padEnd(476, 'A'), 'length'],
    ['its prefix kept', `U2FsdGVkX1${packet}`, 'prefix'],
    ["GnuPG's beginning", `hQ${packet}`, 'prefix'],
    ['a newline', `${packet}\n`, 'alphabet'],
    ['a zero byte', `${packet}\0`, 'alphabet'],
    ['a space', `${packet} `, 'alphabet'],
    ['HTTP around it', `GET /${packet} HTTP/1.0`, 'alphabet'],
    ['= ahead of its HMAC', `${packet.slice(0, -43)}=${packet.slice(-43)}`, 'hmac'],
    ["its HMAC's unused bits changed", `${packet.slice(0, -1)}${packet.at(-1) === 'A' ? 'B' : 'A'}`, 'hmac'],
    ['nothing', '', 'length'],
  ] as const)
    it(`is silent at ${name}: ${why}`, () => {
      expect(judge(text)).to.deep.equal({ kind: 'silence', why })
    })

  it('never throws, and lets nothing in', () => {
    const base64 = fc
      .tuple(fc.constantFrom(...'+/89'), fc.base64String({ minLength: 139, maxLength: 480 }))
      .map((halves) => halves.join(''))
    fc.assert(
      fc.property(
        fc.oneof(
          base64,
          bytes(0, 600).map((any) => Buffer.from(any).toString('latin1')),
        ),
        (text) => {
          expect(judge(text).kind).to.equal('silence')
        },
      ),
      { numRuns: 2000 },
    )
  })
})
