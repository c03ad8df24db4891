/**
 * Writes netlink messages one behind the other into one buffer that is kept from call to call: nothing is allocated on
 * the way of a knock. Inverse of message.ts. Pure.
 */
import { ATTRIBUTE_HEADER_BYTES, align, FAMILY_HEADER_BYTES, HEADER_BYTES } from './message.js'
import { FLAG, NESTED } from './numbers.js'

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const TWO_POW_32 = 2 ** 32
const FIRST_BYTES = 64 * 1024

const encoder = new TextEncoder()

export class MessageWriter {
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES)
  private view = new DataView(this.bytes.buffer)
  private used = 0
  private start = 0

  /** Forgets what was written. */
  reset(): void {
    this.used = 0
    this.start = 0
  }

  /** What was written so far, in place: gone with the next reset. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.used)
  }

  /** Bytes of the message that is being written. */
  get messageBytes(): number {
    return this.used - this.start
  }

  /** Starts a netfilter message; `finish` ends it. */
  begin(type: number, flags: number, sequence: number, family: number, resourceId = 0): void {
    this.reserve(HEADER_BYTES + FAMILY_HEADER_BYTES)
    this.start = this.used
    this.view.setUint16(this.start + 4, type, LITTLE_ENDIAN)
    this.view.setUint16(this.start + 6, flags | FLAG.request, LITTLE_ENDIAN)
    this.view.setUint32(this.start + 8, sequence >>> 0, LITTLE_ENDIAN)
    this.view.setUint32(this.start + 12, 0, LITTLE_ENDIAN)
    this.bytes[this.start + 16] = family
    this.bytes[this.start + 17] = 0
    this.view.setUint16(this.start + 18, resourceId)
    this.used += HEADER_BYTES + FAMILY_HEADER_BYTES
  }

  /** Writes the message's length into its header. */
  finish(): void {
    this.view.setUint32(this.start, this.used - this.start, LITTLE_ENDIAN)
  }

  /** Asks the kernel to say that the message just finished was taken. */
  askForAnswer(): void {
    const flags = this.view.getUint16(this.start + 6, LITTLE_ENDIAN)
    this.view.setUint16(this.start + 6, flags | FLAG.ack, LITTLE_ENDIAN)
  }

  /** Starts an attribute that holds attributes; hand what it gives back to `unnest`. */
  nest(type: number): number {
    const at = this.used
    this.head(type | NESTED, 0)
    return at
  }

  unnest(at: number): void {
    this.view.setUint16(at, this.used - at, LITTLE_ENDIAN)
  }

  raw(type: number, value: Uint8Array): void {
    const at = this.head(type, value.length)
    this.bytes.set(value, at)
  }

  byte(type: number, value: number): void {
    this.bytes[this.head(type, 1)] = value
  }

  be32(type: number, value: number): void {
    const at = this.head(type, 4)
    this.view.setUint32(at, value)
  }

  /** A whole number below 2^53. */
  be64(type: number, value: number): void {
    const at = this.head(type, 8)
    this.view.setUint32(at, Math.floor(value / TWO_POW_32))
    this.view.setUint32(at + 4, value % TWO_POW_32)
  }

  /** Text with its NUL. */
  text(type: number, value: string): void {
    const encoded = encoder.encode(value)
    const at = this.head(type, encoded.length + 1)
    this.bytes.set(encoded, at)
  }

  /** Header and room (zeros) for `length` bytes; gives back where they begin. */
  private head(type: number, length: number): number {
    const padded = align(length)
    this.reserve(ATTRIBUTE_HEADER_BYTES + padded)
    const at = this.used
    this.view.setUint16(at, ATTRIBUTE_HEADER_BYTES + length, LITTLE_ENDIAN)
    this.view.setUint16(at + 2, type, LITTLE_ENDIAN)
    const value = at + ATTRIBUTE_HEADER_BYTES
    if (padded !== 0) this.view.setUint32(value + padded - 4, 0)
    this.used = value + padded
    return value
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = new Uint8Array(2 * this.bytes.length)
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
