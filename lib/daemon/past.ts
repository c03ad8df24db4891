/**
 * What this start must take for granted of earlier runs, before anything is accepted or installed
 * (docs/ARCHITECTURE.md, "The replay window").
 */
import type { ServerConfig } from '../config/types.js'
import { challengeLifeMs } from '../gate/challenges.js'
import type { Directory } from '../replay/directory.js'
import { cautiousMarks, Horizon, type HorizonMarks } from '../replay/horizon.js'
import { horizonFor } from '../slots/schedule.js'
import { SLOT_MS, slotOf } from '../wire/spa-keys.js'
import type { ListenerSettings } from './settings.js'

/** A horizon so far ahead of the clock was written by a clock that was wrong, or this one is. */
const FAR_MS = 3_600_000

/** The widest window that a configuration may ask for, ms. */
export const WIDEST_WINDOW_MS = 300_000

/**
 * How far ahead of the clock a datagram's time may be, ms: SPA's window, or fwknop's age. An age of an hour reaches that far
 * back, but no further ahead than SPA's widest window: the horizon would have to lie as far ahead, below which nothing is
 * accepted after a reboot.
 */
export function aheadMs({ spa, fwknop }: Pick<ServerConfig, 'spa' | 'fwknop'>): number {
  return Math.max(spa.windowMs, Math.min(fwknop?.settings.maxAgeMs ?? 0, WIDEST_WINDOW_MS))
}

/** How long ago the time of anything may be that is accepted, ms: so long the replay window holds it. */
export function widestWindowMs({ windowMs, letmein, fwknop }: ListenerSettings): number {
  return Math.max(windowMs, challengeLifeMs(letmein?.controlTimeoutMs ?? 0), fwknop?.maxAgeMs ?? 0)
}

/** The horizon of the file, or a cautious one where there is none, and what the operator should know of it. Throws ReplayError. */
export function openHorizon(
  directory: Directory,
  nowMs: number,
  config: Pick<ServerConfig, 'spa' | 'fwknop'>,
): { readonly horizon: Horizon; readonly warning?: string } {
  const { tokensSlot } = cautiousMarks(nowMs, config.spa.windowMs, SLOT_MS)
  const horizon = Horizon.open(directory, { horizonMs: nowMs + aheadMs(config), tokensSlot })
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

/**
 * The marks of an operator who says that the clock is right: what a right clock may have let through by now, from clients
 * whose own is ahead by so much, is the last that may have been accepted.
 */
export function trustedMarks(nowMs: number, mostAheadMs: number): HorizonMarks {
  return { horizonMs: Math.ceil(nowMs + mostAheadMs), tokensSlot: slotOf(nowMs) + 1 }
}

/** Whether a clock that is right may have written this horizon by now: then there is nothing to trust, and much to lose. */
export function isUsualHorizon(horizonMs: number, nowMs: number, mostAheadMs: number): boolean {
  return horizonMs <= horizonFor(nowMs, mostAheadMs)
}

/** The same where nothing was ever written: nothing was ever accepted. */
export function firstMarks(nowMs: number): HorizonMarks {
  return { horizonMs: Math.floor(nowMs), tokensSlot: slotOf(nowMs) }
}

/**
 * At the end of a run, when nothing can be accepted any more: the horizon goes down to the greatest time that was, Unix ms, so
 * that after a quick reboot nobody waits for what only might have been. Never below the clock: what is made from here on is
 * all that this is for. Left as it is where a right clock would not have written it: then it is for an operator to say.
 * Throws ReplayError.
 */
export function settleHorizon(horizon: Horizon, acceptedMs: number, nowMs: number): boolean {
  if (!isUsualHorizon(horizon.horizonMs, nowMs, WIDEST_WINDOW_MS)) return false
  return horizon.settle(Math.max(acceptedMs, Math.ceil(nowMs)))
}
