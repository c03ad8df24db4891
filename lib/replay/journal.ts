/**
 * The journal: what was accepted in this boot, one 64-byte record each, written before the acceptance is acted on. It lies
 * on a tmpfs, so a killed process loses nothing and nothing is ever fsynced. Segments (`journal-<n>`) of 1 MiB follow one
 * another; one whose records, and all before them, have expired by both clocks is deleted, without rewriting anything.
 *
 * Why a kill between any two system calls leaves a journal that is complete or not trusted (load.ts is the other half):
 * - a segment gets its name with its header in it (`next`, then link, which fails where another writer was quicker);
 * - nothing is accepted into it before its predecessor is sealed, so a missing successor is noticed;
 * - the header holds the extent of all before it, so a deleted segment leaves its floor behind in every later one;
 * - a journal begun anew has a higher number than all that lie there, and accepts nothing before those are gone;
 * - a record that could not be written whole is cut off again, or nothing more is accepted;
 * - after each write the file must have just the length expected: a second writer is noticed by at least one of the two,
 *   which then accepts nothing more, and so is a file that was cut short or deleted under us.
 *
 * Bound: never more than 2 · places + one segment's records (`limit`), 64 bytes each.
 */
import type { Now } from './clock.js'
import { type AppendFile, removeIfThere } from './directory.js'
import { ReplayError, reasonOf } from './error.js'
import { type Entry, isPast, nothingAbove, widen } from './extent.js'
import { RECORD_BYTES, sealRecord, writeEntry } from './record.js'
import {
  type Begun,
  beginSegment,
  type JournalPlace,
  removeBelow,
  type Segment,
  segmentName,
  segmentNumbers,
  writeWhole,
} from './segment.js'

/** Header and seal counted: 1 MiB, so that no seal needs a page of its own when the tmpfs is full. */
export const SEGMENT_RECORDS = 16_384
export type JournalState = 'ready' | 'failing' | 'dead'

export class Journal {
  readonly #place: JournalPlace
  readonly #segments: Segment[]
  readonly #record = Buffer.alloc(RECORD_BYTES)
  #file: AppendFile
  #records = 0
  /** The last segment's predecessor, until its seal is written. */
  #unsealed: AppendFile | undefined
  #state: JournalState = 'ready'
  #why: string | undefined

  private constructor(place: JournalPlace, segments: readonly Segment[], file: AppendFile, unsealed?: AppendFile) {
    this.#place = place
    this.#segments = [...segments]
    for (const segment of segments) this.#records += segment.records
    this.#file = file
    this.#unsealed = unsealed
  }

  /**
   * A new journal that accepts nothing at or below the floor, Unix ms, and holds just these entries. It takes the place of
   * what lies there in one step. Throws ReplayError `journal`.
   */
  static begin(place: JournalPlace, floorMs: number, now: Now, entries: Iterable<Entry> = []): Journal {
    try {
      const number = (segmentNumbers(place.directory)[0] ?? -1) + 1
      const { segment, file } = beginSegment(place, number, nothingAbove(floorMs), undefined, now, entries)
      try {
        removeBelow(place.directory, number)
      } catch (error) {
        file.close()
        throw error
      }
      return new Journal(place, [segment], file)
    } catch (error) {
      throw new ReplayError('journal', `journal ${place.directory.path}: cannot begin: ${reasonOf(error)}`, error)
    }
  }

  /** Goes on with what was loaded and trusted. Throws ReplayError `journal`. */
  static resume(place: JournalPlace, segments: readonly Segment[]): Journal {
    try {
      removeBelow(place.directory, segments[0]!.number)
      const last = segments.at(-1)!
      const before = segments.at(-2)
      const file = place.directory.append(segmentName(last.number))
      const unsealed = before && !before.sealed ? place.directory.append(segmentName(before.number)) : undefined
      return new Journal(place, segments, file, unsealed)
    } catch (error) {
      throw new ReplayError('journal', `journal ${place.directory.path}: cannot go on: ${reasonOf(error)}`, error)
    }
  }

  get state(): JournalState {
    return this.#state
  }

  /** The sentence for the log where it is not ready. */
  get why(): string | undefined {
    return this.#why
  }

  get segments(): number {
    return this.#segments.length
  }

  /** The greatest time that was accepted in this boot, or was taken for accepted when the journal was begun, Unix ms. */
  get reachesMs(): number {
    return this.#last.extent.timeMs
  }

  /** Records in all segments, headers counted. */
  get records(): number {
    return this.#records
  }

  /**
   * Writes the entry down. True: it is whole in the journal. False: it must not be accepted; later ones may be, unless the
   * state is dead. Never throws for what the system says.
   */
  append(entry: Entry, now: Now): boolean {
    if (this.#state === 'dead') return false
    try {
      if (this.#records >= this.#place.limit) return this.#fail('it is as large as it may get')
      if (this.#last.records >= this.#place.segmentRecords - 1) this.#rotate(now)
      if (this.#unsealed !== undefined) this.#seal(this.#unsealed)
      writeEntry(this.#record, entry, this.#last.records, this.#last.check)
      this.#write(this.#file, this.#record, this.#last)
    } catch (error) {
      return this.#fail(reasonOf(error))
    }
    this.#last.records++
    this.#records++
    widen(this.#last.extent, entry)
    this.#state = 'ready'
    this.#why = undefined
    return true
  }

  /** Deletes segments that have expired by both clocks, the oldest first. Never throws. */
  retire(now: Now): void {
    if (this.#state === 'dead') return
    try {
      while (this.#segments.length > 1 && this.#unsealed === undefined && isPast(this.#segments[0]!.extent, now)) {
        removeIfThere(this.#place.directory, segmentName(this.#segments[0]!.number))
        this.#records -= this.#segments.shift()!.records
      }
    } catch (error) {
      this.#fail(reasonOf(error))
    }
  }

  /** Whether appending fails while all in it has expired: then beginning anew gives its room back, and costs nothing. */
  isStuck(now: Now): boolean {
    return this.#state === 'failing' && this.#last.records > 1 && isPast(this.#last.extent, now)
  }

  /** Whether the last file is just as this journal left it. Where not, another writer has more to say: it is dead. */
  isOurs(): boolean {
    if (this.#state === 'dead') return false
    try {
      this.#mustBe(this.#file, this.#last.records)
    } catch (error) {
      this.#fail(reasonOf(error))
      return false
    }
    return true
  }

  /**
   * Deletes all of it; the floor for the one that comes after, Unix ms. A kill in here leaves what expired or nothing, and
   * nothing is not trusted. Only where it is ours. Throws what the directory throws.
   */
  discard(): number {
    this.close('it could not be deleted to begin anew')
    removeBelow(this.#place.directory, this.#last.number + 1)
    return this.#last.extent.timeMs
  }

  /** Gives the files back; accepts nothing from here on. */
  close(why: string): void {
    this.#state = 'dead'
    this.#why ??= why
    this.#file.close()
    this.#unsealed?.close()
  }

  get #last(): Segment {
    return this.#segments.at(-1)!
  }

  #rotate(now: Now): void {
    if (this.#unsealed !== undefined) this.#seal(this.#unsealed)
    const last = this.#last
    this.#mustBe(this.#file, last.records)
    const { segment, file } = this.#beginNext(last, now)
    this.#segments.push(segment)
    this.#records += segment.records
    this.#unsealed = this.#file
    this.#file = file
    this.#seal(this.#unsealed)
  }

  #beginNext(last: Segment, now: Now): Begun {
    try {
      return beginSegment(this.#place, last.number + 1, last.extent, last, now)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        this.#die('its next segment is there already: another writer is at it')
      throw error
    }
  }

  #seal(file: AppendFile): void {
    const segment = this.#segments.at(-2)!
    this.#write(file, sealRecord(segment.records, segment.check), segment)
    segment.sealed = true
    this.#unsealed = undefined
    file.close()
  }

  /** Appends one whole record or leaves the file as it was; dead where neither can be said. Throws where it was not written. */
  #write(file: AppendFile, bytes: Uint8Array, segment: Segment): void {
    let failure: unknown
    try {
      writeWhole(file, bytes)
    } catch (error) {
      failure = error
    }
    if (failure === undefined) {
      this.#mustBe(file, segment.records + 1)
      return
    }
    this.#takeBack(file, segment)
    throw failure
  }

  /** Cuts off the part of a record that was written. Never more: whole records there would be another writer's. */
  #takeBack(file: AppendFile, segment: Segment): void {
    const whole = segment.records * RECORD_BYTES
    const length = file.length()
    if (length === whole) return
    try {
      if (length > whole && length < whole + RECORD_BYTES) file.truncate(whole)
    } catch (error) {
      this.#die(`a record was written in part and cannot be taken back: ${reasonOf(error)}`)
    }
    this.#mustBe(file, segment.records)
  }

  #mustBe(file: AppendFile, records: number): void {
    const length = file.length()
    if (length === records * RECORD_BYTES) return
    this.#die(
      length < 0 ? 'it was deleted' : `${length} bytes, expected ${records * RECORD_BYTES}: another writer is at it`,
    )
  }

  #fail(why: string): false {
    if (this.#state !== 'dead') this.#state = 'failing'
    this.#why ??= why
    return false
  }

  #die(why: string): never {
    this.#state = 'dead'
    this.#why = why
    throw new Error(why)
  }
}
