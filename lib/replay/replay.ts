/**
 * The one replay window of all gates, as the listener uses it: memory, journal and the three bounds (horizon, untrusted
 * start, hearing) in one order. What cannot be known is refused with a word that is counted and shown. Specification:
 * docs/ARCHITECTURE.md, "The replay window".
 */
import type { ReplayId } from '../gate/verdict.js'
import { heardSinceMs, type Now } from './clock.js'
import type { Directory } from './directory.js'
import { reasonOf } from './error.js'
import type { Entry } from './extent.js'
import { Journal, type JournalState, SEGMENT_RECORDS } from './journal.js'
import { loadJournal } from './load.js'
import { U48_MAX } from './record.js'
import type { JournalPlace } from './segment.js'
import { ID_BYTES_MAX, ReplayWindow } from './window.js'

/** No gate's request may live longer than this in the window: fwknop's age is an hour at most, ahead of the clock and again behind it. */
export const LIFE_MS_MAX = 7_200_000

/** Less than this between two looks is the clock being disciplined. */
const SLEEP_MS = 1000

/** Why a request is refused, in the order in which it is looked at. Stable words. */
export const REPLAY_REFUSALS = [
  /** No id that a gate may hand over: its length, its numbers, or an end more than two hours away. */
  'malformed',
  /** Its own end is over: the gate should have said so. */
  'window',
  /** Above the time that the monitor has written ahead. */
  'horizon',
  /** Not above what an earlier run may have accepted, after a start without a trusted journal. */
  'untrusted',
  /** Older than this server's hearing without a gap. */
  'unheard',
  /** Not above the greatest time that was dropped from the window. */
  'floor',
  /** Accepted already; or it would have been, had the journal taken it. */
  'replayed',
  /** No place free, or too many held by this user. */
  'full',
  /** The journal could not take it. */
  'journal',
] as const
export type ReplayRefusal = (typeof REPLAY_REFUSALS)[number]
export type Admission = 'fresh' | ReplayRefusal

export interface ReplaySettings {
  /** Places of the window. */
  readonly replayEntries: number
  /** The widest window of any gate: no entry goes before its time is this far in the past. */
  readonly windowMs: number
  /**
   * The horizon that was on disk before this start, Unix ms: not below any that an earlier listener was ever given. Only
   * what lies above it is accepted where the journal is not trusted.
   */
  readonly untrustedBelowMs: number
  /** What has been written ahead for now, Unix ms. */
  readonly horizonMs: number
  /** Since when the netlink socket has been open. It stays open while a listener is replaced. */
  readonly hearing: Now
}

export interface ReplayParts {
  /** The journal's own: nobody else's files lie there. */
  readonly directory: Directory
  readonly bootId: Uint8Array
  readonly now: Now
  readonly settings: ReplaySettings
  /** How many records one file of the journal takes; 16,384 where it is not said. At least 4. */
  readonly segmentRecords?: number
}

export interface ReplayStatus {
  /** Whether this start found a journal to trust, and the sentence why not. */
  readonly trusted: boolean
  readonly why?: string
  /** `waiting`: none could be begun yet. `dead`: this process will accept nothing more and should be replaced. */
  readonly journal: JournalState | 'waiting'
  readonly journalWhy?: string
  readonly journalRecords: number
  readonly entries: number
  readonly floorMs: number
  readonly horizonMs: number
  readonly accepted: number
  readonly refused: Readonly<Record<ReplayRefusal, number>>
}

/** The window as this boot's journal left it, or an empty one above `untrustedBelowMs`. Never throws. */
export function openReplay(parts: ReplayParts): Replay {
  const { directory, bootId, now, settings, segmentRecords = SEGMENT_RECORDS } = parts
  const place = { directory, bootId, limit: 2 * settings.replayEntries + segmentRecords, segmentRecords }
  const window = new ReplayWindow(settings.replayEntries)
  const loaded = loadJournal(directory, bootId, now, (entry) => window.note(entry))
  if (!loaded.trusted) return new Replay(place, settings, now, loaded.why)
  window.raiseFloor(loaded.floorMs)
  try {
    return new Replay(place, settings, now, { window, journal: Journal.resume(place, loaded.segments) })
  } catch (error) {
    return new Replay(place, settings, now, reasonOf(error))
  }
}

export class Replay {
  readonly #place: JournalPlace
  readonly #settings: ReplaySettings
  readonly #untrusted: string | undefined
  readonly #refused = Object.fromEntries(REPLAY_REFUSALS.map((word) => [word, 0])) as Record<ReplayRefusal, number>
  readonly #window: ReplayWindow
  #journal: Journal | undefined
  #journalWhy: string | undefined
  #untrustedBelowMs: number
  /** The floor of a journal begun from here on, Unix ms: all that was accepted before has expired or lies below. */
  #beginFloorMs: number
  #horizonMs: number
  #hearing: Now
  /** How far the wall clock is ahead of the monotonic one. */
  #lead: number
  #accepted = 0
  /** The greatest time of what was refused since it could not be written down, Unix ms. */
  #burntMs = 0
  #hasEnded = false

  /** Use `openReplay`. `found`: what the journal held, or why it is not trusted. */
  constructor(
    place: JournalPlace,
    settings: ReplaySettings,
    now: Now,
    found: string | { readonly window: ReplayWindow; readonly journal: Journal },
  ) {
    this.#place = place
    this.#settings = settings
    this.#horizonMs = settings.horizonMs
    this.#hearing = settings.hearing
    this.#lead = now.wallMs - now.monoMs
    this.#untrustedBelowMs = settings.untrustedBelowMs
    this.#beginFloorMs = settings.untrustedBelowMs
    this.#untrusted = typeof found === 'string' ? found : undefined
    this.#window =
      typeof found === 'string' ? new ReplayWindow(settings.replayEntries, settings.untrustedBelowMs) : found.window
    this.#journal = typeof found === 'string' ? undefined : found.journal
    this.tick(now)
  }

  /**
   * Whether the request is fresh; if so it is in the journal and will not be called fresh again, in this boot or any other.
   * O(1) over time. Never throws.
   */
  admit(id: ReplayId, now: Now): Admission {
    this.tick(now)
    const admission = this.#judge(id, now)
    if (admission === 'fresh') this.#accepted++
    else this.#refused[admission]++
    return admission
  }

  /** The monitor has written this horizon ahead. It does not go back but by `trust`. */
  setHorizon(horizonMs: number): void {
    if (horizonMs > this.#horizonMs) this.#horizonMs = horizonMs
  }

  /** Lets go of what has expired, at most once a second. `admit` calls it; so does the listener now and then. */
  tick(now: Now): void {
    if (this.#hasEnded) return
    this.#noticeSleep(now)
    if (!this.#window.sweep(now)) return
    this.#journal?.retire(now)
    if (this.#journal?.isStuck(now) && this.#journal.isOurs()) this.#discard(this.#journal)
    if (this.#journal === undefined) this.#begin(now)
  }

  /**
   * The operator trusts the clock: floors go back to this time, Unix ms, and the horizon to what was written. What the
   * window still holds stays refused all the same. Where the journal cannot follow, it is dead.
   */
  trust(untrustedBelowMs: number, horizonMs: number, now: Now): void {
    if (this.#journal?.isOurs() === false) return
    this.#horizonMs = horizonMs
    this.#hearing = now
    this.#untrustedBelowMs = untrustedBelowMs
    this.#beginFloorMs = untrustedBelowMs
    this.#window.resetFloors(untrustedBelowMs)
    this.#journal?.close('it could not be begun anew when the clock was trusted')
    try {
      this.#journal = Journal.begin(this.#place, untrustedBelowMs, now, this.#window.entriesAbove(untrustedBelowMs))
    } catch (error) {
      this.#journalWhy = reasonOf(error)
    }
  }

  status(): ReplayStatus {
    const journalWhy = this.#journal?.why ?? this.#journalWhy
    return {
      trusted: this.#untrusted === undefined,
      ...(this.#untrusted !== undefined && { why: this.#untrusted }),
      journal: this.#journal?.state ?? 'waiting',
      ...(journalWhy !== undefined && { journalWhy }),
      journalRecords: this.#journal?.records ?? 0,
      entries: this.#window.size,
      floorMs: this.#window.floorMs,
      horizonMs: this.#horizonMs,
      accepted: this.#accepted,
      refused: { ...this.#refused },
    }
  }

  /**
   * Accepts nothing from here on, for good. The greatest time, Unix ms, that this process and those before it in this boot have
   * accepted, or took for accepted; undefined where the journal is not whole and ours, so that nobody can say.
   */
  end(): number | undefined {
    this.#hasEnded = true
    const journal = this.#journal
    if (journal?.state !== 'ready' || !journal.isOurs()) return undefined
    return Math.max(journal.reachesMs, this.#burntMs)
  }

  /** Closes the journal's files; accepts nothing from here on. */
  close(): void {
    this.#journal?.close('it was closed')
  }

  /** There was a gap, which ended then: what was made before it ended may lie in somebody's hands unheard. */
  heardAgain(hearing: Now): void {
    this.#hearing = hearing
  }

  /** A suspend is a gap in hearing, and it moves the wall clock on against the monotonic one. So does a clock that is set. */
  #noticeSleep(now: Now): void {
    const lead = now.wallMs - now.monoMs
    if (lead - this.#lead > SLEEP_MS) this.heardAgain(now)
    this.#lead = lead
  }

  #judge(id: ReplayId, now: Now): Admission {
    if (this.#hasEnded) return 'journal'
    const entry = entryOf(id, this.#settings.windowMs, now)
    if (typeof entry === 'string') return entry
    if (id.isOfThisRun) return this.#judgeHere(entry)
    if (entry.timeMs > this.#horizonMs) return 'horizon'
    if (this.#untrusted !== undefined && entry.timeMs <= this.#untrustedBelowMs) return 'untrusted'
    if (entry.timeMs < heardSinceMs(this.#hearing, now)) return 'unheard'
    const refusal = this.#window.refusal(entry.user, entry.id, entry.timeMs)
    if (refusal !== undefined) return refusal
    const journaled = this.#journal?.append(entry, now) === true
    // Noted in either case: what could not be written down is burnt, so that a copy of it, sent from another address once
    // the disk has room again, opens nothing.
    this.#window.note(entry)
    if (!journaled) this.#burntMs = Math.max(this.#burntMs, entry.timeMs)
    return journaled ? 'fresh' : 'journal'
  }

  /** Of this run: the bounds and the journal are for what another run may have accepted. So a boot, or a dead clock, stops nobody. */
  #judgeHere(entry: Entry): Admission {
    const refusal = this.#window.refusalHere(entry.user, entry.id, entry.timeMs)
    if (refusal === undefined) this.#window.note(entry)
    return refusal ?? 'fresh'
  }

  #discard(journal: Journal): void {
    try {
      this.#beginFloorMs = Math.max(this.#beginFloorMs, journal.discard())
      this.#journal = undefined
    } catch (error) {
      this.#journalWhy = reasonOf(error)
    }
  }

  /** Where it cannot, nothing is accepted until the next try. */
  #begin(now: Now): void {
    try {
      this.#journal = Journal.begin(this.#place, this.#beginFloorMs, now)
      this.#journalWhy = undefined
    } catch (error) {
      this.#journalWhy = reasonOf(error)
    }
  }
}

/** The entry that a gate's id becomes, or why it cannot. */
function entryOf(id: ReplayId, windowMs: number, now: Now): Entry | 'malformed' | 'window' {
  const { user, timeMs } = id
  const expiresMs = Math.max(id.expiresMs, timeMs + windowMs)
  const isWellFormed =
    isWithin(user, 0xffff_ffff) &&
    isWithin(timeMs, U48_MAX) &&
    isWithin(expiresMs, U48_MAX) &&
    id.id.length >= 1 &&
    id.id.length <= ID_BYTES_MAX
  const lifeMs = expiresMs - now.wallMs
  if (!isWellFormed || lifeMs > LIFE_MS_MAX) return 'malformed'
  if (lifeMs < 0) return 'window'
  return { user, id: id.id, timeMs, expiresMs, expiresMonoMs: Math.ceil(now.monoMs + lifeMs) }
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
