/**
 * The journal's 64-byte records. Big-endian; `check` is the CRC-32 of bytes 0–59, begun with the CRC of the segment's
 * header (0 for the header itself), so that no record passes in another segment; `place` is the record's number in its
 * segment, so that none passes at another place.
 *
 *     header   0 kind 1 | 1 version | 2 u32 segment | 6 u48 floor | 12 u48 before expires | 18 u48 … by monotonic clock
 *              24 u48 started, monotonic | 30 u32 previous records | 34 u32 previous check | 38 boot id 16 | 54 zeros
 *     entry    0 kind 2 | 1 id length | 2 u32 user | 6 u48 time | 12 u48 expires | 18 u48 … by monotonic clock | 24 id 32
 *     sealed   0 kind 3 | 1 zeros
 *     all      56 u32 place | 60 u32 check
 */
import { crc32 } from 'node:zlib'
import type { Entry, Extent } from './extent.js'

export const RECORD_BYTES = 64
export const VERSION = 1
export const U48_MAX = 2 ** 48 - 1

export interface Header {
  readonly segment: number
  readonly bootId: Uint8Array
  /** CLOCK_MONOTONIC when the segment was begun, ms. */
  readonly startedMonoMs: number
  /** All that was noted before this segment. Its time is the floor once earlier segments are gone. */
  readonly before: Readonly<Extent>
  /** How many records the segment before this one has (its seal not counted), and its header's check; 0, 0: there is none. */
  readonly previousRecords: number
  readonly previousCheck: number
}

export type Read =
  | { readonly kind: 'header'; readonly header: Header; readonly check: number }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'sealed' }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'damaged' }

/** A segment's first record and the check that begins all others'. Throws RangeError where a field does not fit. */
export function headerRecord(header: Header): { readonly bytes: Buffer; readonly check: number } {
  const bytes = Buffer.alloc(RECORD_BYTES)
  bytes[0] = 1
  bytes[1] = VERSION
  bytes.writeUInt32BE(header.segment, 2)
  writeExtent(bytes, header.before)
  bytes.writeUIntBE(Math.floor(header.startedMonoMs), 24, 6)
  bytes.writeUInt32BE(header.previousRecords, 30)
  bytes.writeUInt32BE(header.previousCheck, 34)
  bytes.set(header.bootId, 38)
  return { bytes, check: finish(bytes, 0, 0) }
}

/** Writes an entry over 64 bytes. Throws RangeError where a field does not fit. */
export function writeEntry(bytes: Buffer, entry: Entry, place: number, headerCheck: number): void {
  bytes.fill(0)
  bytes[0] = 2
  bytes[1] = entry.id.length
  bytes.writeUInt32BE(entry.user, 2)
  writeExtent(bytes, entry)
  bytes.set(entry.id, 24)
  finish(bytes, place, headerCheck)
}

/** The record that ends a segment which has a successor. */
export function sealRecord(place: number, headerCheck: number): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES)
  bytes[0] = 3
  finish(bytes, place, headerCheck)
  return bytes
}

/** What the 64 bytes say at this place of the segment with this header check (0 for its place 0). Never throws. */
export function readRecord(bytes: Buffer, place: number, headerCheck: number): Read {
  const check = crc32(bytes.subarray(0, 60), headerCheck)
  if (bytes.readUInt32BE(60) !== check || bytes.readUInt32BE(56) !== place) return { kind: 'damaged' }
  if (place === 0) return bytes[0] === 1 ? readHeader(bytes, check) : { kind: 'damaged' }
  if (bytes[0] === 2) return readEntry(bytes)
  return bytes[0] === 3 ? { kind: 'sealed' } : { kind: 'damaged' }
}

function readHeader(bytes: Buffer, check: number): Read {
  if (bytes[1] !== VERSION) return { kind: 'version', version: bytes[1]! }
  const header: Header = {
    segment: bytes.readUInt32BE(2),
    before: readExtent(bytes),
    startedMonoMs: bytes.readUIntBE(24, 6),
    previousRecords: bytes.readUInt32BE(30),
    previousCheck: bytes.readUInt32BE(34),
    bootId: bytes.subarray(38, 54),
  }
  return { kind: 'header', header, check }
}

function readEntry(bytes: Buffer): Read {
  const length = bytes[1]!
  if (length < 1 || length > 32) return { kind: 'damaged' }
  const entry = { user: bytes.readUInt32BE(2), id: bytes.subarray(24, 24 + length), ...readExtent(bytes) }
  return { kind: 'entry', entry }
}

function writeExtent(bytes: Buffer, extent: Readonly<Extent>): void {
  bytes.writeUIntBE(extent.timeMs, 6, 6)
  bytes.writeUIntBE(extent.expiresMs, 12, 6)
  bytes.writeUIntBE(extent.expiresMonoMs, 18, 6)
}

function readExtent(bytes: Buffer): Extent {
  return {
    timeMs: bytes.readUIntBE(6, 6),
    expiresMs: bytes.readUIntBE(12, 6),
    expiresMonoMs: bytes.readUIntBE(18, 6),
  }
}

function finish(bytes: Buffer, place: number, headerCheck: number): number {
  bytes.writeUInt32BE(place, 56)
  const check = crc32(bytes.subarray(0, 60), headerCheck)
  bytes.writeUInt32BE(check, 60)
  return check
}
