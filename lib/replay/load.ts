/**
 * Reading a journal back: complete, of this boot and undamaged, or not trusted with the reason. Nothing is mended here.
 *
 * From the highest segment downwards each header says what lies before it. Once all of that has expired by both clocks,
 * the earlier segments are not needed (their greatest time is the floor); until then the one before must be there, whole
 * as its successor counted it. A highest segment that is sealed had a successor that is missing.
 */
import type { Now } from './clock.js'
import { type Directory, isMissing } from './directory.js'
import { reasonOf } from './error.js'
import { type Entry, isPast, widen } from './extent.js'
import { type Header, RECORD_BYTES, readRecord } from './record.js'
import { type Segment, segmentName, segmentNumbers } from './segment.js'

export type Loaded =
  /** Ascending; the last is the one to go on with. Never empty. */
  | { readonly trusted: true; readonly segments: readonly Segment[]; readonly floorMs: number }
  | { readonly trusted: false; readonly why: string }

/**
 * Reads the journal and hands every entry in it to `note`, expired ones too. Where the answer is not trusted, what was noted
 * is to be thrown away. Never throws for what the files are or are not.
 */
export function loadJournal(directory: Directory, bootId: Uint8Array, now: Now, note: (entry: Entry) => void): Loaded {
  const untrusted = (why: string): Loaded => ({ trusted: false, why: `journal ${directory.path}: ${why}` })
  let numbers: number[]
  try {
    numbers = segmentNumbers(directory)
  } catch (error) {
    return untrusted(reasonOf(error))
  }
  if (numbers.length === 0) return untrusted('there is none')
  const segments: Segment[] = []
  let number = numbers[0]!
  let successor: Header | undefined
  for (;;) {
    const read = readSegment(directory, number, bootId, now, successor, note)
    if (typeof read === 'string') return untrusted(`${segmentName(number)}: ${read}`)
    segments.unshift(read.segment)
    if (isPast(read.header.before, now)) return { trusted: true, segments, floorMs: read.header.before.timeMs }
    if (number === 0) return untrusted(`${segmentName(0)}: says that another is before it`)
    successor = read.header
    number--
  }
}

type ReadSegment = { readonly segment: Segment; readonly header: Header }

function readSegment(
  directory: Directory,
  number: number,
  bootId: Uint8Array,
  now: Now,
  successor: Header | undefined,
  note: (entry: Entry) => void,
): ReadSegment | string {
  let bytes: Buffer
  try {
    const content = directory.read(segmentName(number))
    bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  } catch (error) {
    return isMissing(error) ? 'is missing and still needed' : reasonOf(error)
  }
  if (bytes.length === 0 || bytes.length % RECORD_BYTES !== 0) {
    return `${bytes.length} bytes: expected whole records of ${RECORD_BYTES}`
  }
  const found = bytes.length / RECORD_BYTES
  const first = readRecord(bytes.subarray(0, RECORD_BYTES), 0, 0)
  if (first.kind === 'version') return `version ${first.version}: expected 1`
  if (first.kind !== 'header') return 'its header is damaged'
  const { header, check } = first
  const wrong = wrongHeader(header, number, bootId, now)
  if (wrong !== undefined) return wrong
  if (successor !== undefined && successor.previousCheck !== check)
    return 'is not the one that its successor went on from'
  const expected = successor?.previousRecords ?? found
  if (found !== expected && found !== expected + 1) return `${found} records: its successor counted ${expected}`
  const segment: Segment = { number, records: expected, check, extent: { ...header.before }, sealed: false }
  for (let place = 1; place < found; place++) {
    const read = readRecord(bytes.subarray(place * RECORD_BYTES, (place + 1) * RECORD_BYTES), place, check)
    if (read.kind === 'entry' && place < expected) {
      widen(segment.extent, read.entry)
      note(read.entry)
    } else if (read.kind === 'sealed' && place === found - 1) {
      if (successor === undefined) return 'is sealed, and the segment after it is missing'
      if (place < expected) return `record ${place} is a seal: its successor counted ${expected} records`
      segment.sealed = true
    } else return `record ${place} is damaged`
  }
  return { segment, header }
}

function wrongHeader(header: Header, number: number, bootId: Uint8Array, now: Now): string | undefined {
  if (header.segment !== number) return `says that it is segment ${header.segment}`
  if (Buffer.compare(header.bootId, bootId) !== 0) return 'is of another boot'
  // The same boot with a younger monotonic clock: a machine put back to an earlier state, or another time namespace.
  if (header.startedMonoMs > now.monoMs) return 'was begun later than now by the monotonic clock'
  return undefined
}
