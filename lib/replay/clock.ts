/** One moment on the two clocks, and since when the server has heard. Pure: the clocks are read elsewhere and handed in. */

/** One moment on both clocks. */
export interface Now {
  /** Unix ms; may step either way. */
  readonly wallMs: number
  /** CLOCK_MONOTONIC in ms: one for all processes of a boot, never goes back, stands still in a suspend. */
  readonly monoMs: number
}

/**
 * The moment, Unix ms, since which the server has heard without a gap: not before the wall clock's reading when hearing
 * began, nor before the time that the monotonic clock says it has lasted. The second moves along when a dead clock is set
 * right after boot, and by a suspend's length; the first stays when the clock is put back.
 */
export function heardSinceMs(hearing: Now, now: Now): number {
  return Math.max(hearing.wallMs, now.wallMs - (now.monoMs - hearing.monoMs))
}
