/**
 * Netlink messages as bytes: header (16 bytes), netfilter's header (4), attributes (length, type, value, padded to 4).
 * Headers are in the machine's byte order, netfilter's own numbers in the network's. What reads never throws, whatever
 * the bytes are: it gives back what is readable. Pure.
 */
import { TYPE_MASK } from './numbers.js'

export const HEADER_BYTES = 16
export const FAMILY_HEADER_BYTES = 4
export const ATTRIBUTE_HEADER_BYTES = 4

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const TWO_POW_32 = 2 ** 32
/** Attribute types above this are of no use to us; all that we read are below. */
const TYPES = 32

const decoder = new TextDecoder()

/** One message of a datagram; its own bytes are `bytes[start … end)`, without the 16-byte header. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly portid: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** All whole messages of a datagram, in order. Stops at the first that is cut off. Never throws. */
export function messagesOf(bytes: Uint8Array): Message[] {
  const found: Message[] = []
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const length = native32(bytes, at)
    if (length < HEADER_BYTES || length > bytes.length - at) break
    found.push({
      type: native16(bytes, at + 4),
      flags: native16(bytes, at + 6),
      sequence: native32(bytes, at + 8),
      portid: native32(bytes, at + 12),
      bytes,
      start: at + HEADER_BYTES,
      end: at + length,
    })
    at += align(length)
  }
  return found
}

/** The family of a netfilter message; 0 where it is too short to say. */
export function familyOf(message: Message): number {
  return message.end - message.start >= FAMILY_HEADER_BYTES ? message.bytes[message.start]! : 0
}

/** The resource id of a netfilter message (NFLOG: the group); 0 where it is too short to say. */
export function resourceIdOf(message: Message): number {
  if (message.end - message.start < FAMILY_HEADER_BYTES) return 0
  return (message.bytes[message.start + 2]! << 8) | message.bytes[message.start + 3]!
}

/** The errno (positive; 0: it is done) that an error or done message says; undefined where it says none. */
export function errnoOf(message: Message): number | undefined {
  if (message.end - message.start < 4) return undefined
  return -(native32(message.bytes, message.start) | 0) || 0
}

/** Visits the attributes in `bytes[start … end)`: type without flags, and where the value lies. Never throws. */
export function forEachAttribute(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (type: number, start: number, end: number) => void,
): void {
  const limit = Math.min(end, bytes.length)
  let at = start
  while (limit - at >= ATTRIBUTE_HEADER_BYTES) {
    const length = native16(bytes, at)
    if (length < ATTRIBUTE_HEADER_BYTES || length > limit - at) return
    visit(native16(bytes, at + 2) & TYPE_MASK, at + ATTRIBUTE_HEADER_BYTES, at + length)
    at += align(length)
  }
}

/** Attributes by type, to be filled again and again (a listing has a hundred thousand). The last of a type counts. */
export class Attributes {
  private bytes: Uint8Array = new Uint8Array(0)
  private readonly starts = new Int32Array(TYPES)
  private readonly ends = new Int32Array(TYPES)

  /** Reads `bytes[start … end)`; whatever was there before is forgotten. Never throws. */
  read(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes
    this.starts.fill(-1)
    const limit = Math.min(end, bytes.length)
    let at = start
    while (limit - at >= ATTRIBUTE_HEADER_BYTES) {
      const length = native16(bytes, at)
      if (length < ATTRIBUTE_HEADER_BYTES || length > limit - at) break
      const type = native16(bytes, at + 2) & TYPE_MASK
      if (type < TYPES) {
        this.starts[type] = at + ATTRIBUTE_HEADER_BYTES
        this.ends[type] = at + length
      }
      at += align(length)
    }
    return this
  }

  /** Reads what follows netfilter's header in a message. */
  readMessage(message: Message): this {
    return this.read(message.bytes, message.start + FAMILY_HEADER_BYTES, message.end)
  }

  has(type: number): boolean {
    return this.starts[type]! >= 0
  }

  /** Reads the attributes inside attribute `type` into `into`; none where it is not there. */
  nested(type: number, into: Attributes): Attributes {
    const start = this.starts[type]!
    return start < 0 ? into.read(this.bytes, 0, 0) : into.read(this.bytes, start, this.ends[type]!)
  }

  /** The value's bytes, in place: gone with the next read of the socket. */
  view(type: number): Uint8Array | undefined {
    const start = this.starts[type]!
    return start < 0 ? undefined : this.bytes.subarray(start, this.ends[type]!)
  }

  /** A 32-bit number in network byte order; undefined where there is none of that length. */
  be32(type: number): number | undefined {
    const start = this.starts[type]!
    return start < 0 || this.ends[type]! - start !== 4 ? undefined : network32(this.bytes, start)
  }

  /** A 64-bit number in network byte order; exact up to 2^53. */
  be64(type: number): number | undefined {
    const start = this.starts[type]!
    if (start < 0 || this.ends[type]! - start !== 8) return undefined
    return network32(this.bytes, start) * TWO_POW_32 + network32(this.bytes, start + 4)
  }

  /** A 64-bit number in network byte order, exact. */
  handle(type: number): bigint | undefined {
    const start = this.starts[type]!
    if (start < 0 || this.ends[type]! - start !== 8) return undefined
    return (BigInt(network32(this.bytes, start)) << 32n) | BigInt(network32(this.bytes, start + 4))
  }

  /** Text up to its NUL. */
  text(type: number): string | undefined {
    const bytes = this.view(type)
    return bytes && textOf(bytes)
  }
}

/** Text up to the first NUL, if there is one. Bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0)
  return decoder.decode(nul < 0 ? bytes : bytes.subarray(0, nul))
}

/** The next multiple of 4. */
export function align(length: number): number {
  return (length + 3) & ~3
}

function native16(bytes: Uint8Array, at: number): number {
  return LITTLE_ENDIAN ? bytes[at]! | (bytes[at + 1]! << 8) : (bytes[at]! << 8) | bytes[at + 1]!
}

function native32(bytes: Uint8Array, at: number): number {
  if (!LITTLE_ENDIAN) return network32(bytes, at)
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function network32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
