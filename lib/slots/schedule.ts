/**
 * Which slots go into the kernel when, and how long they stay there. Specification: docs/PROTOCOL.md, "The gate in the
 * kernel" and "Instant tokens"; the horizon: docs/ARCHITECTURE.md, "The replay window". Pure.
 */
import { SLOT_MS, slotOf } from '../wire/spa-keys.js'

/** How long before its turn a slot is put in, so that no client whose clock is right finds it missing. */
export const LEAD_MS = 5_000

/** The kernel counts in jiffies: a timeout that rounds to none would be an element for ever. */
const MIN_TIMEOUT_MS = 1_000

/** A slot whose elements are to be put in now, each with this timeout. */
export interface DueSlot {
  readonly slot: number
  readonly timeoutMs: number
}

export interface Moment {
  readonly nowMs: number
  readonly windowMs: number
  /** The horizon that is on disk: no slot above it is put in. */
  readonly horizonMs: number
  /** No slot up to this one: it was put in before (or, for tokens, may have been, by an earlier run). None: all are new. */
  readonly installedUpTo?: number
}

/** Slots whose tags are due: those of every datagram that may be accepted from now until LEAD_MS later. Ascending. */
export function tagSlots(moment: Moment): DueSlot[] {
  const { nowMs, windowMs } = moment
  const due = slotsBetween(moment, slotOf(nowMs - windowMs), slotOf(nowMs + LEAD_MS + windowMs))
  // Longer by up to a second does no harm: user space judges the time for itself.
  return due.map((slot) => ({ slot, timeoutMs: Math.max(MIN_TIMEOUT_MS, endOf(slot) + windowMs - nowMs) }))
}

/** Slots whose tokens are due: the last, this and the next of now and of LEAD_MS later. Ascending. */
export function tokenSlots(moment: Moment): DueSlot[] {
  const { nowMs, windowMs } = moment
  const due = slotsBetween(moment, slotOf(nowMs) - 1, slotOf(nowMs + LEAD_MS) + 1)
  return due
    .map((slot) => ({ slot, timeoutMs: Math.min(endOf(slot + 1) - nowMs, tokenLifeMs(windowMs)) }))
    .filter(({ timeoutMs }) => timeoutMs >= MIN_TIMEOUT_MS)
}

/** The longest that a token may live in the kernel, ms: from LEAD_MS before the slot ahead of its own to the end of the one behind. */
export function tokenLifeMs(windowMs: number): number {
  return Math.max(2 * windowMs + SLOT_MS, 3 * SLOT_MS + LEAD_MS)
}

/** How long the kernel remembers a used token, ms: longer than any token can live, whenever it was used. */
export function usedTimeoutMs(windowMs: number): number {
  return 2 * (2 * windowMs + SLOT_MS) + 60_000
}

/**
 * The horizon to write before a roll at this time, Unix ms: the end of the current slot (LEAD_MS before its turn, of the coming
 * one), the widest window of any gate, and LEAD_MS for a roll that comes late. Covers every time that may be accepted, and every slot that
 * may be put in, until then.
 */
export function horizonFor(nowMs: number, windowMs: number): number {
  return endOf(slotOf(nowMs + LEAD_MS)) + windowMs + LEAD_MS
}

/** ms until a further slot is due, 1–30,000: of tokens, or of tags where the window is no multiple of a slot. */
export function msUntilDue(nowMs: number, windowMs: number): number {
  const untilTurn = (timeMs: number) => endOf(slotOf(timeMs)) - timeMs
  return Math.min(untilTurn(nowMs + LEAD_MS), untilTurn(nowMs + LEAD_MS + windowMs))
}

function endOf(slot: number): number {
  return (slot + 1) * SLOT_MS
}

function slotsBetween({ horizonMs, installedUpTo = -1 }: Moment, first: number, last: number): number[] {
  const slots: number[] = []
  const end = Math.min(last, slotOf(horizonMs))
  for (let slot = Math.max(0, first, installedUpTo + 1); slot <= end; slot++) slots.push(slot)
  return slots
}
