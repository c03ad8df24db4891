/** One captured packet: Linux "cooked" header version 2 (20 bytes), then IPv4 (RFC 791) or IPv6 (RFC 8200). */
import { addressFromBytes } from '../../lib/wire/address.js'

const COOKED_BYTES = 20
const OUTGOING = 4
const IPV6 = 0x86dd

export type PacketKind = 'udp' | 'tcp' | 'icmp' | 'other'

export class Packet {
  readonly outgoing: boolean
  readonly source: string
  readonly destination: string
  readonly kind: PacketKind
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
  /** TCP flags byte, e.g. 0x02 for a SYN. */
  readonly tcpFlags: number | undefined
  /** UDP payload; else everything after the IP header. */
  readonly payload: Buffer
  /** IP header and all, bytes. */
  readonly length: number

  constructor(cooked: Buffer) {
    this.outgoing = cooked[10] === OUTGOING
    const ip = cooked.subarray(COOKED_BYTES)
    this.length = ip.length
    const six = cooked.readUInt16BE(0) === IPV6
    const headerBytes = six ? 40 : (ip[0]! & 0x0f) * 4
    const protocol = six ? ip[6]! : ip[9]!
    const [from, size] = six ? [8, 16] : [12, 4]
    this.source = addressFromBytes(ip.subarray(from, from + size))
    this.destination = addressFromBytes(ip.subarray(from + size, from + 2 * size))
    const body = ip.subarray(headerBytes)
    this.kind = kindOf(protocol, body)
    const hasPorts = this.kind === 'udp' || this.kind === 'tcp'
    this.sourcePort = hasPorts ? body.readUInt16BE(0) : undefined
    this.destinationPort = hasPorts ? body.readUInt16BE(2) : undefined
    this.tcpFlags = this.kind === 'tcp' ? body[13] : undefined
    this.payload = this.kind === 'udp' ? body.subarray(8) : body
  }

  get loopback(): boolean {
    return this.source === '127.0.0.1'
  }

  /** A line for people and for comparing captures: no ports of the sender's own choice, no bytes that differ by chance. */
  toString(): string {
    const port = this.destinationPort === undefined ? '' : `:${this.destinationPort}`
    const detail = this.kind === 'icmp' ? ` type ${this.payload[0]} code ${this.payload[1]}` : ''
    return `${this.source} > ${this.destination}${port} ${this.kind}${detail} ${this.length}`
  }
}

/** Neighbour discovery, router and multicast messages (ICMPv6 130–137, 143) are `other`. */
function kindOf(protocol: number, body: Buffer): PacketKind {
  if (protocol === 17) return 'udp'
  if (protocol === 6) return 'tcp'
  if (protocol === 1) return 'icmp'
  if (protocol === 58 && body[0]! < 130) return 'icmp'
  return 'other'
}
