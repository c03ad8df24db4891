/**
 * The instant tokens with which the kernel itself opens a resource, as elements of its sets (one set a resource).
 * Specification: docs/PROTOCOL.md, "Instant tokens". Pure: that no slot is put in twice is the schedule's and its caller's.
 */
import type { ResourceId, UserId } from '../wire/ids.js'
import { SLOT_MS, TOKEN_BYTES, tokensOf } from '../wire/spa-keys.js'
import type { DueSlot } from './schedule.js'

export interface TokenUser {
  readonly id: UserId
  /** The realm-bound instant key, 32 bytes. */
  readonly instant: Uint8Array
  /** The instant resources that this user may open. */
  readonly resources: readonly ResourceId[]
  /** The key is dead from this time on, Unix ms; undefined: it has no end. */
  readonly untilMs?: number
}

export interface TokenElement {
  /** 16 bytes, as on the wire. */
  readonly key: Uint8Array
  readonly timeoutMs: number
  readonly resource: ResourceId
  readonly user: UserId
}

/** Elements in one chunk: about 1 ms of work. */
const CHUNK = 480

/** The sixteen tokens of each user and resource for each slot, slot by slot, in chunks of at most 480 as `tagElements` gives them. */
export function* tokenElements(
  users: Iterable<TokenUser>,
  slots: Iterable<DueSlot>,
): Generator<readonly TokenElement[], void, void> {
  const everyone = [...users]
  for (const { slot, timeoutMs } of slots) {
    let chunk: TokenElement[] = []
    for (const { id: user, instant, resources, untilMs } of everyone) {
      // The kernel asks nobody: no token outlives its key, and one lives to the end of the slot behind its own.
      if (untilMs !== undefined && (slot + 2) * SLOT_MS > untilMs) continue
      for (const resource of resources) {
        const tokens = tokensOf(instant, slot, resource)
        for (let at = 0; at < tokens.length; at += TOKEN_BYTES)
          chunk.push({ key: tokens.subarray(at, at + TOKEN_BYTES), timeoutMs, resource, user })
        if (chunk.length < CHUNK) continue
        yield chunk
        chunk = []
      }
    }
    if (chunk.length > 0) yield chunk
  }
}
