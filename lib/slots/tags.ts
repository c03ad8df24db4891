/**
 * The tags that let datagrams of known users up to user space, as elements of the kernel's set. Specification:
 * docs/PROTOCOL.md, "The gate in the kernel". Pure.
 */
import type { UserId } from '../wire/ids.js'
import { SLOT_MS, TAG_BYTES, tagsOf } from '../wire/spa-keys.js'
import type { DueSlot } from './schedule.js'

export interface TagUser {
  readonly id: UserId
  /** The realm-bound tag key, 32 bytes. */
  readonly tag: Uint8Array
  /** The key is dead from this time on, Unix ms; undefined: it has no end. */
  readonly untilMs?: number
}

export interface TagElement {
  /** 8 bytes, as on the wire. */
  readonly key: Uint8Array
  readonly timeoutMs: number
  readonly user: UserId
}

/** Elements in one chunk: about 1 ms of work. */
const CHUNK = 400

/** The four tags of each user for each slot, slot by slot, in chunks of at most 400 for the caller to spread over its event loop. */
export function* tagElements(
  users: Iterable<TagUser>,
  slots: Iterable<DueSlot>,
): Generator<readonly TagElement[], void, void> {
  const everyone = [...users]
  for (const { slot, timeoutMs } of slots) {
    let chunk: TagElement[] = []
    for (const { id: user, tag, untilMs } of everyone) {
      if (untilMs !== undefined && slot * SLOT_MS >= untilMs) continue
      const tags = tagsOf(tag, slot)
      for (let at = 0; at < tags.length; at += TAG_BYTES)
        chunk.push({ key: tags.subarray(at, at + TAG_BYTES), timeoutMs, user })
      if (chunk.length < CHUNK) continue
      yield chunk
      chunk = []
    }
    if (chunk.length > 0) yield chunk
  }
}
