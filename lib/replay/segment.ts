/** The journal's files: their names, how one comes to be, how they go. */
import type { Now } from './clock.js'
import { type AppendFile, type Directory, removeIfThere } from './directory.js'
import { type Entry, type Extent, widen } from './extent.js'
import { headerRecord, writeEntry } from './record.js'

const NEXT = 'next'

/** Where the journal lies and how large it may get. */
export interface JournalPlace {
  readonly directory: Directory
  readonly bootId: Uint8Array
  /** Records of all segments together. */
  readonly limit: number
  /** Records of one file, header and seal counted. */
  readonly segmentRecords: number
}

/** One segment file as the journal remembers it. */
export interface Segment {
  readonly number: number
  /** Its records, header counted, seal not. */
  records: number
  /** The header's check, with which all other records' begin. */
  readonly check: number
  /** All that was noted in it and before it. */
  readonly extent: Extent
  sealed: boolean
}

const NAME = /^journal-(0|[1-9][0-9]{0,9})$/
const SEGMENT_MAX = 2 ** 32 - 2

export function segmentName(number: number): string {
  return `journal-${number}`
}

/** The numbers of the segments that lie there, descending. Throws what the directory throws. */
export function segmentNumbers(directory: Directory): number[] {
  return directory
    .list()
    .map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => number <= SEGMENT_MAX)
    .sort((a, b) => b - a)
}

export type Begun = { readonly segment: Segment; readonly file: AppendFile }

/**
 * A segment with its header and these entries in it, under its name. Throws what the directory throws, EEXIST where the
 * name is taken.
 */
export function beginSegment(
  place: JournalPlace,
  number: number,
  before: Readonly<Extent>,
  previous: Segment | undefined,
  now: Now,
  entries: Iterable<Entry> = [],
): Begun {
  const { directory, bootId } = place
  const { bytes, check } = headerRecord({
    segment: number,
    bootId,
    startedMonoMs: now.monoMs,
    before,
    previousRecords: previous?.records ?? 0,
    previousCheck: previous?.check ?? 0,
  })
  const segment: Segment = { number, records: 1, check, extent: { ...before }, sealed: false }
  removeIfThere(directory, NEXT)
  const file = directory.create(NEXT)
  try {
    writeWhole(file, bytes)
    for (const entry of entries) {
      writeEntry(bytes, entry, segment.records++, check)
      widen(segment.extent, entry)
      writeWhole(file, bytes)
    }
    directory.link(NEXT, segmentName(number))
  } catch (error) {
    file.close()
    throw error
  }
  try {
    directory.remove(NEXT)
  } catch {
    // A second name does no harm; the next segment's beginning removes it.
  }
  return { segment, file }
}

/** Throws where not all of it was written. */
export function writeWhole(file: AppendFile, bytes: Uint8Array): void {
  const written = file.write(bytes)
  if (written !== bytes.length) throw new Error(`${written} of ${bytes.length} bytes written: is the disk full?`)
}

/** Removes all segments with lower numbers, the lowest first. */
export function removeBelow(directory: Directory, number: number): void {
  for (const found of segmentNumbers(directory).reverse()) {
    if (found < number) removeIfThere(directory, segmentName(found))
  }
}
