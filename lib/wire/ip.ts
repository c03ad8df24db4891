/**
 * The UDP datagram in an IP packet as the kernel copied it (RFC 791, RFC 8200, RFC 768). Whatever is odd is no datagram:
 * fragments, lengths that contradict each other, sources that nobody can answer. Checksums are not looked at: what is inside
 * is authenticated. Pure; never throws.
 */
import type { Datagram } from '../gate/verdict.js'
import { addressFromBytes } from './address.js'

const UDP = 17
const UDP_HEADER_BYTES = 8
const IPV4_HEADER_BYTES = 20
const IPV6_HEADER_BYTES = 40
/** No honest datagram has as many; work for one that is not stays bounded. */
const MOST_EXTENSIONS = 8
const HOP_BY_HOP = 0
const ROUTING = 43
const DESTINATION_OPTIONS = 60

/** The datagram, its bytes in place (no copy), or undefined where the packet is not one whole, plain UDP datagram. */
export function datagramOf(packet: Uint8Array): Datagram | undefined {
  switch (packet[0]! >> 4) {
    case 4:
      return fromIpv4(packet)
    case 6:
      return fromIpv6(packet)
    default:
      return undefined
  }
}

function fromIpv4(packet: Uint8Array): Datagram | undefined {
  const headerBytes = (packet[0]! & 0x0f) * 4
  if (headerBytes < IPV4_HEADER_BYTES || packet.length < headerBytes) return undefined
  const end = number16(packet, 2)
  if (end > packet.length || packet[9] !== UDP) return undefined
  // "More fragments", or not the first of them.
  if ((number16(packet, 6) & 0x3fff) !== 0) return undefined
  const source = packet.subarray(12, 16)
  // "This network", and multicast, reserved and broadcast: no sender has such an address.
  if (source[0] === 0 || source[0]! >= 224) return undefined
  return fromUdp(packet, headerBytes, end, source, packet.subarray(16, 20))
}

function fromIpv6(packet: Uint8Array): Datagram | undefined {
  if (packet.length < IPV6_HEADER_BYTES) return undefined
  const end = IPV6_HEADER_BYTES + number16(packet, 4)
  if (end > packet.length) return undefined
  const source = packet.subarray(8, 24)
  const destination = packet.subarray(24, 40)
  // Multicast and unspecified; and IPv4-mapped, which would be taken for an IPv4 sender's.
  if (source[0] === 0xff || isUnspecifiedOrMapped(source) || isUnspecifiedOrMapped(destination)) return undefined
  let next = packet[6]!
  let at = IPV6_HEADER_BYTES
  for (let count = 0; next !== UDP; count++) {
    const isFirst = count === 0
    const known = next === ROUTING || next === DESTINATION_OPTIONS || (next === HOP_BY_HOP && isFirst)
    if (!known || count === MOST_EXTENSIONS || end - at < 8) return undefined
    // Segments left: the packet is not where it is going to.
    if (next === ROUTING && packet[at + 3] !== 0) return undefined
    next = packet[at]!
    at += (packet[at + 1]! + 1) * 8
  }
  return fromUdp(packet, at, end, source, destination)
}

function fromUdp(
  packet: Uint8Array,
  at: number,
  end: number,
  source: Uint8Array,
  destination: Uint8Array,
): Datagram | undefined {
  if (end - at < UDP_HEADER_BYTES || number16(packet, at + 4) !== end - at) return undefined
  const sourcePort = number16(packet, at)
  const destinationPort = number16(packet, at + 2)
  if (sourcePort === 0 || destinationPort === 0) return undefined
  return {
    bytes: packet.subarray(at + UDP_HEADER_BYTES, end),
    source: addressFromBytes(source),
    sourcePort,
    destination: addressFromBytes(destination),
    destinationPort,
  }
}

/** `::`, or the first twelve bytes of `::ffff:0:0`. */
function isUnspecifiedOrMapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false
  if (address[10] === 0xff && address[11] === 0xff) return true
  for (let i = 10; i < 16; i++) if (address[i] !== 0) return false
  return true
}

function number16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
