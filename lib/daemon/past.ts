/**
 * What this start must take for granted of earlier runs, before anything is accepted or installed
 * (docs/ARCHITECTURE.md, "The replay window").
 */
import type { Directory } from '../replay/directory.js'
import { cautiousMarks, Horizon, type HorizonMarks } from '../replay/horizon.js'
import { horizonFor } from '../slots/schedule.js'
import { SLOT_MS, slotOf } from '../wire/spa-keys.js'

/** A horizon so far ahead of the clock was written by a clock that was wrong, or this one is. */
const FAR_MS = 3_600_000

/** The horizon of the file, or a cautious one where there is none, and what the operator should know of it. Throws ReplayError. */
export function openHorizon(
  directory: Directory,
  nowMs: number,
  windowMs: number,
): { readonly horizon: Horizon; readonly warning?: string } {
  const horizon = Horizon.open(directory, cautiousMarks(nowMs, windowMs, SLOT_MS))
  const until = new Date(horizon.horizonMs).toISOString()
  switch (horizon.found.kind) {
    case 'present':
      if (horizon.horizonMs - nowMs < FAR_MS) return { horizon }
      return {
        horizon,
        warning: `the horizon in ${directory.path} is ${until}, far ahead of the clock: without a trusted journal no knock is accepted until then; if the clock is right: posternd trust-clock`,
      }
    case 'missing':
    case 'damaged': {
      const why = horizon.found.kind === 'missing' ? `no horizon in ${directory.path}` : horizon.found.why
      return {
        horizon,
        warning: `${why}: what an earlier run accepted is not known, so knocks are refused until ${until}; if this is the first start, or nothing was accepted before: posternd trust-clock`,
      }
    }
    default:
      return horizon.found satisfies never
  }
}

/** The widest window that a configuration may ask for, ms. */
export const WIDEST_WINDOW_MS = 300_000

/**
 * The marks of an operator who says that the clock is right: what a right clock may have let through by now, from clients
 * whose own is ahead, is the last that may have been accepted.
 */
export function trustedMarks(nowMs: number, windowMs: number): HorizonMarks {
  return { horizonMs: Math.ceil(nowMs + windowMs), tokensSlot: slotOf(nowMs) + 1 }
}

/** Whether a clock that is right may have written this horizon by now: then there is nothing to trust, and much to lose. */
export function isUsualHorizon(horizonMs: number, nowMs: number, windowMs: number): boolean {
  return horizonMs <= horizonFor(nowMs, windowMs)
}

/** The same where nothing was ever written: nothing was ever accepted. */
export function firstMarks(nowMs: number): HorizonMarks {
  return { horizonMs: Math.floor(nowMs), tokensSlot: slotOf(nowMs) }
}
