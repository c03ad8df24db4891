/**
 * How far a set of noted entries reaches: its greatest time, and when the last of it has expired by either clock. The floor
 * that a dropped bucket or a deleted segment leaves behind is its extent's time. Pure.
 */
import type { UserId } from '../wire/ids.js'
import type { Now } from './clock.js'

/** One accepted request, as window and journal keep it. */
export interface Entry {
  readonly user: UserId
  /** 1–32 bytes. Together with the user it names one datagram, whose time never changes. */
  readonly id: Uint8Array
  /** The datagram's own time, Unix ms. */
  readonly timeMs: number
  /** The wall clock must be past this, Unix ms … */
  readonly expiresMs: number
  /** … and the monotonic clock past this, before the entry may be dropped. */
  readonly expiresMonoMs: number
}

export interface Extent {
  timeMs: number
  expiresMs: number
  expiresMonoMs: number
}

/** The extent of nothing, above a floor: expired by any clock. */
export function nothingAbove(floorMs: number): Extent {
  return { timeMs: floorMs, expiresMs: 0, expiresMonoMs: 0 }
}

/** Makes the extent reach over one more entry (or extent). */
export function widen(extent: Extent, by: Readonly<Extent>): void {
  if (by.timeMs > extent.timeMs) extent.timeMs = by.timeMs
  if (by.expiresMs > extent.expiresMs) extent.expiresMs = by.expiresMs
  if (by.expiresMonoMs > extent.expiresMonoMs) extent.expiresMonoMs = by.expiresMonoMs
}

/** Whether all in it has expired by both clocks. */
export function isPast(extent: Readonly<Extent>, now: Now): boolean {
  return now.wallMs > extent.expiresMs && now.monoMs > extent.expiresMonoMs
}
