import { expect } from 'chai'
import fc from 'fast-check'
import { addressFromBytes } from '../../lib/wire/address.js'
import { datagramOf } from '../../lib/wire/ip.js'

const PAYLOAD = new TextEncoder().encode('knock')
const FOUR = { source: [198, 18, 0, 7], destination: [198, 18, 0, 1] }
const SIX = { source: six(7), destination: six(1) }

function six(last: number): number[] {
  return [0xfd, 0x18, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

function be16(number: number): number[] {
  return [(number >> 8) & 255, number & 255]
}

function udp(payload: Uint8Array, { source = 40_000, destination = 5800, length = payload.length + 8 } = {}): number[] {
  return [...be16(source), ...be16(destination), ...be16(length), 0, 0, ...payload]
}

interface Ipv4 {
  readonly options?: number[]
  readonly fragment?: number
  readonly protocol?: number
  readonly total?: number
  readonly words?: number
  readonly source?: number[]
}

function ipv4(body: number[], ip: Ipv4 = {}): Uint8Array {
  const options = ip.options ?? []
  const words = ip.words ?? 5 + options.length / 4
  const total = ip.total ?? 20 + options.length + body.length
  const head = [0x40 | words, 0, ...be16(total), 0, 1, ...be16(ip.fragment ?? 0x4000), 64, ip.protocol ?? 17, 0, 0]
  return new Uint8Array([...head, ...(ip.source ?? FOUR.source), ...FOUR.destination, ...options, ...body])
}

interface Ipv6 {
  readonly next?: number
  readonly length?: number
  readonly source?: number[]
  readonly destination?: number[]
}

function ipv6(body: number[], ip: Ipv6 = {}): Uint8Array {
  const head = [0x60, 0, 0, 0, ...be16(ip.length ?? body.length), ip.next ?? 17, 64]
  return new Uint8Array([...head, ...(ip.source ?? SIX.source), ...(ip.destination ?? SIX.destination), ...body])
}

const KNOCK = udp(PAYLOAD)
/** An extension header of eight bytes. */
const extension = (next: number, segmentsLeft = 0) => [next, 0, 0, segmentsLeft, 0, 0, 0, 0]
/** One of sixteen. */
const longExtension = (next: number) => [next, 1, ...new Array<number>(14).fill(0)]
const mapped = [...new Array<number>(10).fill(0), 0xff, 0xff, 198, 18, 0, 7]

const expected4 = {
  bytes: PAYLOAD,
  source: '198.18.0.7',
  sourcePort: 40_000,
  destination: '198.18.0.1',
  destinationPort: 5800,
}
const expected6 = { ...expected4, source: 'fd18:7::7', destination: 'fd18:7::1' }

describe('a UDP datagram in an IP packet', () => {
  const whole: [string, Uint8Array, object][] = [
    ['of IPv4', ipv4(KNOCK), expected4],
    ['with IPv4 options', ipv4(KNOCK, { options: [1, 1, 1, 0] }), expected4],
    ['with as many IPv4 options as there can be', ipv4(KNOCK, { options: new Array(40).fill(1) }), expected4],
    ['with bytes behind it', new Uint8Array([...ipv4(KNOCK), 0, 0, 0]), expected4],
    ['without payload', ipv4(udp(new Uint8Array(0))), { ...expected4, bytes: new Uint8Array(0) }],
    ['of IPv6', ipv6(KNOCK), expected6],
    ['with IPv6 bytes behind it', new Uint8Array([...ipv6(KNOCK), 9]), expected6],
    [
      'behind extension headers',
      ipv6([...extension(60), ...longExtension(43), ...extension(17), ...KNOCK], { next: 0 }),
      expected6,
    ],
  ]
  for (const [what, packet, expected] of whole) {
    it(`is found ${what}`, () => {
      expect(datagramOf(packet)).to.deep.equal(expected)
    })
  }

  const odd: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['neither IPv4 nor IPv6', ipv4(KNOCK).fill(0x50, 0, 1)],
    ['TCP', ipv4(KNOCK, { protocol: 6 })],
    ['a first fragment', ipv4(KNOCK, { fragment: 0x2000 })],
    ['a later fragment', ipv4(KNOCK, { fragment: 0x0010 })],
    ['a header shorter than 20 bytes', ipv4(KNOCK, { words: 4 })],
    ['a header longer than the packet', ipv4([], { words: 15 })],
    ['cut off by the copy', ipv4(KNOCK).subarray(0, 30)],
    ['a total length beyond the packet', ipv4(KNOCK, { total: 100 })],
    ['a total length below its headers', ipv4(KNOCK, { total: 24 })],
    ['a UDP length beyond the packet', ipv4(udp(PAYLOAD, { length: 60 }))],
    ['a UDP length below the packet', ipv4(udp(PAYLOAD, { length: 10 }))],
    ['a UDP length of seven', ipv4(udp(PAYLOAD, { length: 7 }))],
    ['no room for a UDP header', ipv4(KNOCK.slice(0, 7))],
    ['source port 0', ipv4(udp(PAYLOAD, { source: 0 }))],
    ['destination port 0', ipv4(udp(PAYLOAD, { destination: 0 }))],
    ['a source in 0/8', ipv4(KNOCK, { source: [0, 0, 0, 0] })],
    ['a multicast source', ipv4(KNOCK, { source: [224, 0, 0, 1] })],
    ['a broadcast source', ipv4(KNOCK, { source: [255, 255, 255, 255] })],
    ['IPv6: cut off in its header', ipv6(KNOCK).subarray(0, 39)],
    ['IPv6: a length beyond the packet', ipv6(KNOCK, { length: 100 })],
    ['IPv6: a jumbogram', ipv6(KNOCK, { length: 0 })],
    ['IPv6: TCP', ipv6(KNOCK, { next: 6 })],
    ['IPv6: a fragment', ipv6([...extension(17), ...KNOCK], { next: 44 })],
    ['IPv6: on its way by a routing header', ipv6([...extension(17, 1), ...KNOCK], { next: 43 })],
    ['IPv6: hop-by-hop options that are not first', ipv6([...extension(0), ...extension(17), ...KNOCK], { next: 60 })],
    ['IPv6: an extension header beyond the packet', ipv6(longExtension(17).slice(0, 8), { next: 60 })],
    ['IPv6: an endless row of extension headers', ipv6(new Array(20).fill(extension(60)).flat(), { next: 60 })],
    ['IPv6: a multicast source', ipv6(KNOCK, { source: [0xff, ...six(1).slice(1)] })],
    ['IPv6: no source', ipv6(KNOCK, { source: new Array(16).fill(0) })],
    ['IPv6: an IPv4-mapped source', ipv6(KNOCK, { source: mapped })],
    ['IPv6: an IPv4-mapped destination', ipv6(KNOCK, { destination: mapped })],
  ]
  for (const [what, packet] of odd) {
    it(`is none: ${what}`, () => {
      expect(datagramOf(packet)).to.equal(undefined)
    })
  }

  it('is read as it was written', () => {
    const port = fc.integer({ min: 1, max: 65_535 })
    const byte = fc.nat(255)
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        port,
        port,
        fc.array(byte, { minLength: 15, maxLength: 15 }),
        (payload, sourcePort, destinationPort, rest) => {
          const source = [0xfd, ...rest]
          const found = datagramOf(ipv6(udp(payload, { source: sourcePort, destination: destinationPort }), { source }))
          expect(found).to.deep.include({ bytes: payload, sourcePort, destinationPort })
          expect(found!.source).to.equal(addressFromBytes(new Uint8Array(source)))
        },
      ),
    )
  })

  it('never makes the reader throw, and never has bytes that the packet has not', () => {
    const arbitrary = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc
        .tuple(
          fc.constantFrom(...[...whole, ...odd].map(([, packet]) => packet)),
          fc.nat(200),
          fc.nat(255),
          fc.nat(120),
        )
        .map(([packet, at, value, length]) => {
          const bytes = packet.slice(0, length)
          if (at < bytes.length) bytes[at] = value
          return bytes
        }),
    )
    fc.assert(
      fc.property(arbitrary, (packet) => {
        const found = datagramOf(packet)
        if (found !== undefined) expect(found.bytes.length).to.be.at.most(packet.length - 28)
      }),
      { numRuns: 3000 },
    )
  })
})
