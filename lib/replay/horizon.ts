/**
 * The horizon: one small text file on disk, the monitor's own, written ahead and fsynced before it is acted on. It says up
 * to which time a datagram may ever have been accepted, and up to which slot instant tokens may ever have been in the kernel;
 * a start that cannot know more accepts and installs only what lies above. A run that ends in order leaves what it did accept,
 * where it might have. Specification: docs/ARCHITECTURE.md, "The replay window".
 *
 *     postern horizon 1
 *     # Written by posternd; put back with "posternd trust-clock". No knock above the horizon was ever accepted.
 *     horizon 1764000000000 2025-11-24T16:00:00.000Z
 *     tokens 58800000
 *     check 1a2b3c4d
 */
import { crc32 } from 'node:zlib'
import { type Directory, isMissing, removeIfThere } from './directory.js'
import { ReplayError, reasonOf } from './error.js'

export const HORIZON_FILE = 'horizon'
const NEXT = 'horizon.next'
/** The last ms that Date can show; a horizon beyond it is no time. */
const TIME_MS_MAX = 8_640_000_000_000_000

export interface HorizonMarks {
  /** Unix ms: no time above it was ever accepted. */
  readonly horizonMs: number
  /** The last slot whose tokens may ever have been put into the kernel. */
  readonly tokensSlot: number
}

export type HorizonFound =
  | { readonly kind: 'present'; readonly marks: HorizonMarks }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly why: string }

/** What the file says. Never throws. */
export function readHorizon(directory: Directory): HorizonFound {
  let text: string
  try {
    text = Buffer.from(directory.read(HORIZON_FILE)).toString('latin1')
  } catch (error) {
    return isMissing(error) ? { kind: 'missing' } : { kind: 'damaged', why: reasonOf(error) }
  }
  const marks = parseHorizon(text)
  if (marks !== undefined) return { kind: 'present', marks }
  return { kind: 'damaged', why: `${directory.path}/${HORIZON_FILE}: not a horizon file of version 1, or damaged` }
}

/**
 * What to take for granted where no file says it: every time that a right clock could have let through by now was accepted,
 * and every slot that it could have installed was.
 */
export function cautiousMarks(nowMs: number, windowMs: number, slotMs: number): HorizonMarks {
  return { horizonMs: nowMs + windowMs, tokensSlot: Math.floor((nowMs + 2 * windowMs) / slotMs) + 1 }
}

export class Horizon implements HorizonMarks {
  readonly #directory: Directory
  /** What the file said at the start. */
  readonly found: HorizonFound
  #marks: HorizonMarks
  /** What it was when this run began, or an operator has said since: nothing above it was accepted before, Unix ms. */
  #earlierMs: number

  private constructor(directory: Directory, found: HorizonFound, marks: HorizonMarks) {
    this.#directory = directory
    this.found = found
    this.#marks = marks
    this.#earlierMs = marks.horizonMs
  }

  /**
   * The horizon as the file says it, or these marks where it cannot say: what earlier runs may have done reaches no further.
   * Either is on disk for good when this returns. Throws ReplayError `horizon` where that cannot be had.
   */
  static open(directory: Directory, cautious: HorizonMarks): Horizon {
    const found = readHorizon(directory)
    if (found.kind === 'present') confirmHorizon(directory)
    else writeHorizon(directory, cautious)
    return new Horizon(directory, found, found.kind === 'present' ? found.marks : cautious)
  }

  /** Unix ms: no time above it may be accepted now. On disk for good. */
  get horizonMs(): number {
    return this.#marks.horizonMs
  }

  /** The last slot whose tokens may be put into the kernel now, or ever were. On disk for good. */
  get tokensSlot(): number {
    return this.#marks.tokensSlot
  }

  /**
   * Raises both marks at least to these; neither is ever lowered. On disk for good when this returns. Throws ReplayError
   * `horizon` where it cannot be written: then the marks are what they were.
   */
  advance(horizonMs: number, tokensSlot: number): void {
    const marks = {
      horizonMs: Math.max(this.horizonMs, horizonMs),
      tokensSlot: Math.max(this.tokensSlot, tokensSlot),
    }
    if (marks.horizonMs === this.horizonMs && marks.tokensSlot === this.tokensSlot) return
    writeHorizon(this.#directory, marks)
    this.#marks = marks
  }

  /**
   * `posternd trust-clock`: these marks, lower or not, by an administrator's hand. What was accepted above them can be
   * accepted again after a start without a trusted journal; `cautiousMarks` of now cover all that a right clock accepted.
   * Throws ReplayError `horizon`.
   */
  trust(marks: HorizonMarks): void {
    writeHorizon(this.#directory, marks)
    this.#marks = { horizonMs: marks.horizonMs, tokensSlot: marks.tokensSlot }
    this.#earlierMs = marks.horizonMs
  }

  /**
   * The run is over: nothing can be accepted any more before `advance`. The time mark goes down to the greatest time that was
   * accepted in this run, Unix ms, but not below what it was when the run began. The tokens' mark stays: they were in the kernel.
   * True: it is lower, on disk for good. False: it is as it was, for that would not be lower, or the file says other marks than
   * this run wrote: then it has another writer. Throws ReplayError `horizon` where it cannot be written: on disk is the one
   * or the other.
   */
  settle(acceptedMs: number): boolean {
    const horizonMs = Math.max(this.#earlierMs, acceptedMs)
    if (!(horizonMs < this.horizonMs)) return false
    const found = readHorizon(this.#directory)
    if (found.kind !== 'present' || formatHorizon(found.marks) !== formatHorizon(this.#marks)) return false
    // Before the writing: whatever of it reaches the disk, only an `advance` that writes anew allows more from here on.
    this.#marks = { ...this.#marks, horizonMs }
    writeHorizon(this.#directory, this.#marks)
    return true
  }
}

/** What was read may not have outlived a power cut yet: its writer may have been stopped before its last fsync. */
function confirmHorizon(directory: Directory): void {
  try {
    const file = directory.append(HORIZON_FILE)
    try {
      file.sync()
    } finally {
      file.close()
    }
    directory.sync()
  } catch (error) {
    throw new ReplayError('horizon', `${directory.path}/${HORIZON_FILE}: cannot be synced: ${reasonOf(error)}`, error)
  }
}

/** New file, fsync, rename, fsync of the directory: a power cut at any step leaves the old text or the new one. */
function writeHorizon(directory: Directory, marks: HorizonMarks): void {
  const path = `${directory.path}/${HORIZON_FILE}`
  if (!isMark(marks.horizonMs, TIME_MS_MAX) || !isMark(marks.tokensSlot, Number.MAX_SAFE_INTEGER)) {
    throw new ReplayError('horizon', `${path}: ${marks.horizonMs}, ${marks.tokensSlot}: expected Unix ms and a slot`)
  }
  try {
    removeIfThere(directory, NEXT)
    const file = directory.create(NEXT)
    try {
      const bytes = Buffer.from(formatHorizon(marks), 'latin1')
      const written = file.write(bytes)
      if (written !== bytes.length) throw new Error(`${written} of ${bytes.length} bytes written: is the disk full?`)
      file.sync()
    } finally {
      file.close()
    }
    directory.rename(NEXT, HORIZON_FILE)
    directory.sync()
  } catch (error) {
    throw new ReplayError('horizon', `${path}: cannot be written: ${reasonOf(error)}`, error)
  }
}

/** The file's text for these marks. */
export function formatHorizon(marks: HorizonMarks): string {
  const body =
    'postern horizon 1\n' +
    '# Written by posternd; put back with "posternd trust-clock". No knock above the horizon was ever accepted.\n' +
    `horizon ${marks.horizonMs} ${new Date(marks.horizonMs).toISOString()}\n` +
    `tokens ${marks.tokensSlot}\n`
  return `${body}check ${crc32(body).toString(16).padStart(8, '0')}\n`
}

/** The marks that just this text stands for; undefined where it is any other text. */
export function parseHorizon(text: string): HorizonMarks | undefined {
  const found = /^horizon (\d{1,16}) .*\ntokens (\d{1,16})$/m.exec(text)
  if (found === null) return undefined
  const marks = { horizonMs: Number(found[1]), tokensSlot: Number(found[2]) }
  if (!isMark(marks.horizonMs, TIME_MS_MAX) || !isMark(marks.tokensSlot, Number.MAX_SAFE_INTEGER)) return undefined
  return formatHorizon(marks) === text ? marks : undefined
}

function isMark(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
