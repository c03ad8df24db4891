/**
 * The sliding window in memory: what was accepted and could still be replayed. Buckets keyed by the datagram's own time,
 * each a set, so that look-up and noting are O(1) and old buckets go as a whole; what goes leaves a floor behind. Pure: the
 * clocks are handed in. Specification: docs/ARCHITECTURE.md, "The replay window".
 */
import type { UserId } from '../wire/ids.js'
import type { Now } from './clock.js'
import { type Entry, type Extent, isPast, nothingAbove, widen } from './extent.js'

export const ID_BYTES_MAX = 32
export const BUCKET_MS = 5_000
/** How often buckets are looked through for what has expired, by the monotonic clock. */
export const SWEEP_MS = 1_000
/**
 * A user may hold at most this many times what is free. One who fills the window gets 4/5 of it, k of them 4/(4k + 1)
 * each, and 1/(4k + 1) of it always stays free for the others.
 */
export const SHARE_OF_FREE = 4

interface Bucket {
  readonly keys: Set<string>
  readonly held: Map<UserId, number>
  readonly extent: Extent
}

export class ReplayWindow {
  readonly #places: number
  readonly #buckets = new Map<number, Bucket>()
  readonly #held = new Map<UserId, number>()
  readonly #floors = new Map<UserId, number>()
  readonly #scratch = Buffer.alloc(4 + ID_BYTES_MAX)
  #floorMs: number
  #size = 0
  #sweptMonoMs = Number.NEGATIVE_INFINITY

  /** A window of so many places that refuses every time at or below the floor (Unix ms). */
  constructor(places: number, floorMs = 0) {
    this.#places = places
    this.#floorMs = floorMs
  }

  get size(): number {
    return this.#size
  }

  /** The floor of all users, Unix ms. */
  get floorMs(): number {
    return this.#floorMs
  }

  /** Why this must not be accepted; undefined where it is fresh. Id of 1–32 bytes. */
  refusal(user: UserId, id: Uint8Array, timeMs: number): 'floor' | 'replayed' | 'full' | undefined {
    if (timeMs <= this.#floorMs || timeMs <= (this.#floors.get(user) ?? 0)) return 'floor'
    return this.refusalHere(user, id, timeMs)
  }

  /** The same of what could not have been accepted before this window was there, so that no floor is for it. */
  refusalHere(user: UserId, id: Uint8Array, timeMs: number): 'replayed' | 'full' | undefined {
    if (this.#buckets.get(bucketOf(timeMs))?.keys.has(this.#keyOf(user, id))) return 'replayed'
    const free = this.#places - this.#size
    if (free <= 0 || (this.#held.get(user) ?? 0) >= SHARE_OF_FREE * free) return 'full'
    return undefined
  }

  /** Remembers the entry until both clocks are past its end. Bounds are refusal's business: what was journaled always fits. */
  note(entry: Entry): void {
    const number = bucketOf(entry.timeMs)
    let bucket = this.#buckets.get(number)
    if (bucket === undefined) {
      bucket = { keys: new Set(), held: new Map(), extent: nothingAbove(0) }
      this.#buckets.set(number, bucket)
    }
    widen(bucket.extent, entry)
    const before = bucket.keys.size
    bucket.keys.add(this.#keyOf(entry.user, entry.id))
    if (bucket.keys.size === before) return
    bucket.held.set(entry.user, (bucket.held.get(entry.user) ?? 0) + 1)
    this.#held.set(entry.user, (this.#held.get(entry.user) ?? 0) + 1)
    this.#size++
  }

  /** Nothing at or below this time, Unix ms, is accepted from anybody. Never lowers the floor. */
  raiseFloor(floorMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, floorMs)
  }

  /** Sets the floor of all users to this, Unix ms, lower or not. What is held stays held. */
  resetFloors(floorMs: number): void {
    this.#floors.clear()
    this.#floorMs = floorMs
  }

  /** What it holds of times above this, Unix ms. An entry reaches as far as its bucket does: later than it could have said. */
  *entriesAbove(timeMs: number): Generator<Entry> {
    for (const { keys, extent } of this.#buckets.values()) {
      if (extent.timeMs <= timeMs) continue
      for (const key of keys) {
        const bytes = Buffer.from(key, 'latin1')
        yield { user: bytes.readUInt32BE(0), id: bytes.subarray(4), ...extent }
      }
    }
  }

  /** Drops what has expired by both clocks. True where it looked: at most once a second. */
  sweep(now: Now): boolean {
    if (now.monoMs - this.#sweptMonoMs < SWEEP_MS) return false
    this.#sweptMonoMs = now.monoMs
    for (const [number, bucket] of this.#buckets) {
      if (!isPast(bucket.extent, now)) continue
      this.#buckets.delete(number)
      this.#drop(bucket)
    }
    // Users come from the configuration; only many reloads with other users in each could let this grow.
    if (this.#floors.size > this.#places) {
      for (const floor of this.#floors.values()) this.raiseFloor(floor)
      this.#floors.clear()
    }
    return true
  }

  #drop(bucket: Bucket): void {
    this.#size -= bucket.keys.size
    for (const [user, count] of bucket.held) {
      const left = this.#held.get(user)! - count
      if (left === 0) this.#held.delete(user)
      else this.#held.set(user, left)
      if (bucket.extent.timeMs > (this.#floors.get(user) ?? 0)) this.#floors.set(user, bucket.extent.timeMs)
    }
  }

  #keyOf(user: UserId, id: Uint8Array): string {
    this.#scratch.writeUInt32BE(user, 0)
    this.#scratch.set(id, 4)
    return this.#scratch.toString('latin1', 0, 4 + id.length)
  }
}

function bucketOf(timeMs: number): number {
  return Math.floor(timeMs / BUCKET_MS)
}
