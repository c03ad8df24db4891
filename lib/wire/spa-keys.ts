/**
 * postern SPA version 1: the sub-keys of a user, and what they make of a slot: tags, which name a datagram's sender to the
 * server, and instant tokens, which the kernel itself knows. Specification: docs/PROTOCOL.md, "Keys", "Datagram" and
 * "Instant tokens". Pure.
 */
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { ResourceId } from './ids.js'

export const KEY_BYTES = 32
export const SLOT_MS = 30_000
export const TAG_BYTES = 8
export const TAGS_PER_SLOT = 4
export const TOKEN_BYTES = 16
export const TOKENS_PER_SLOT = 16

/** What a sub-key is for. The listener has tag and seal keys; only monitor and client make instant keys. */
export type KeyUse = 'tag' | 'seal' | 'instant'

/** The three sub-keys of one user for one realm, 32 bytes each. */
export type SpaKeys = Readonly<Record<KeyUse, Uint8Array>>

/** One 32-byte sub-key of a 32-byte user key for the server's realm. Throws RangeError where the key has another length. */
export function deriveKey(key: Uint8Array, realm: string, use: KeyUse): Uint8Array {
  return expandUse(extractRealm(key, realm), use)
}

/** All three sub-keys of a 32-byte user key. Throws RangeError where the key has another length. */
export function deriveKeys(key: Uint8Array, realm: string): SpaKeys {
  const shared = extractRealm(key, realm)
  return { tag: expandUse(shared, 'tag'), seal: expandUse(shared, 'seal'), instant: expandUse(shared, 'instant') }
}

/** The 30-second slot of a Unix time in ms. */
export function slotOf(timeMs: number): number {
  return Math.floor(timeMs / SLOT_MS)
}

/** The 8-byte tag of a slot, index 0–3. Throws RangeError where slot or index does not fit. */
export function tagOf(tagKey: Uint8Array, slot: number, index: number): Uint8Array {
  checkIndex(index, TAGS_PER_SLOT)
  return hmac(sha256, tagKey, tagMessage(slot, index)).subarray(0, TAG_BYTES)
}

/** All four tags of a slot, one after the other (32 bytes). Throws RangeError where the slot does not fit. */
export function tagsOf(tagKey: Uint8Array, slot: number): Uint8Array {
  return manyOf(tagKey, tagMessage(slot, 0), TAGS_PER_SLOT, TAG_BYTES)
}

/** The 16-byte instant token of a resource in a slot, index 0–15. Throws RangeError where a number does not fit. */
export function tokenOf(instantKey: Uint8Array, slot: number, resource: ResourceId, index: number): Uint8Array {
  checkIndex(index, TOKENS_PER_SLOT)
  return hmac(sha256, instantKey, tokenMessage(slot, resource, index)).subarray(0, TOKEN_BYTES)
}

/** All sixteen tokens of a resource in a slot, one after the other (256 bytes). Throws RangeError as tokenOf does. */
export function tokensOf(instantKey: Uint8Array, slot: number, resource: ResourceId): Uint8Array {
  return manyOf(instantKey, tokenMessage(slot, resource, 0), TOKENS_PER_SLOT, TOKEN_BYTES)
}

function extractRealm(key: Uint8Array, realm: string): Uint8Array {
  if (key.length !== KEY_BYTES) throw new RangeError(`user key of ${key.length} bytes: expected ${KEY_BYTES}`)
  return extract(sha256, key, new TextEncoder().encode(realm))
}

function expandUse(shared: Uint8Array, use: KeyUse): Uint8Array {
  return expand(sha256, shared, new TextEncoder().encode(`postern spa 1 ${use}`), KEY_BYTES)
}

/** u64 slot ‖ u8 index */
function tagMessage(slot: number, index: number): Uint8Array {
  const message = new Uint8Array(9)
  putSlot(message, slot)
  message[8] = index
  return message
}

/** u64 slot ‖ u32 resource ‖ u8 index */
function tokenMessage(slot: number, resource: ResourceId, index: number): Uint8Array {
  if (resource !== resource >>> 0) throw new RangeError(`resource ${resource}: expected 0–4294967295`)
  const message = new Uint8Array(13)
  putSlot(message, slot)
  new DataView(message.buffer).setUint32(8, resource)
  message[12] = index
  return message
}

function putSlot(message: Uint8Array, slot: number): void {
  if (!Number.isSafeInteger(slot) || slot < 0) throw new RangeError(`slot ${slot}: expected a whole number from 0`)
  const view = new DataView(message.buffer)
  view.setUint32(0, Math.floor(slot / 2 ** 32))
  view.setUint32(4, slot >>> 0)
}

function checkIndex(index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new RangeError(`index ${index}: expected 0–${count - 1}`)
}

/**
 * The first bytes of HMAC(key, message) for each value 0 … count − 1 of the message's last byte. The key's two blocks are
 * hashed once for all of them: a server with many users rolls hundreds of thousands of these each slot.
 */
function manyOf(key: Uint8Array, message: Uint8Array, count: number, size: number): Uint8Array {
  const keyed = hmac.create(sha256, key)
  const mac = keyed.clone()
  const digest = new Uint8Array(32)
  const all = new Uint8Array(count * size)
  for (let index = 0; index < count; index++) {
    message[message.length - 1] = index
    keyed._cloneInto(mac).update(message).digestInto(digest)
    for (let i = 0; i < size; i++) all[index * size + i] = digest[i]!
  }
  return all
}
