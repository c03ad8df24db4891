/**
 * Elements of sets as bytes, both ways (nf_tables.h, NFTA_SET_ELEM_*). Times are ms; a comment is nft's own form of user
 * data. Pure.
 */
import { FirewallError, type SetElement, type SetRef } from '../types.js'
import { Attributes, align, FAMILY_HEADER_BYTES, forEachAttribute, type Message, textOf } from './message.js'
import { DATA_VALUE, ELEMENT, ELEMENTS, LIST_ITEM, USERDATA_COMMENT } from './numbers.js'
import type { MessageWriter } from './writer.js'

/** Other comments break `nft list ruleset` or its reload; longer ones end the process of whoever lists them. */
const COMMENT = /^[A-Za-z0-9=_.:/ -]{0,100}$/
const LONGEST_KEY_BYTES = 64
/**
 * The kernel counts in ticks of up to 10 ms (rounding down: 4 ms each where CONFIG_HZ is 250), and kernels that made no
 * tick of less than one took it for "never ends".
 */
const TICK_MS = 10

/** Bytes of one element in a message. */
export function elementBytes(element: SetElement): number {
  let bytes = keyBytes(element.key)
  if (element.timeoutMs !== undefined) bytes += 12
  if (element.expiresMs !== undefined) bytes += 12
  if (element.comment !== undefined) bytes += 4 + align(3 + element.comment.length)
  return bytes
}

/** Bytes of an element that is nothing but its key. */
export function keyBytes(key: Uint8Array): number {
  return 12 + align(key.length)
}

/** Writes which set is meant: the first two attributes of every message about elements. */
export function writeSetName(writer: MessageWriter, set: SetRef): void {
  writer.text(ELEMENTS.table, set.table)
  writer.text(ELEMENTS.set, set.set)
}

/** Writes an element. Throws FirewallError where a field has no place in the kernel. */
export function writeElement(writer: MessageWriter, element: SetElement): void {
  const item = writer.nest(LIST_ITEM)
  writeKeyValue(writer, element.key)
  if (element.timeoutMs !== undefined) writer.be64(ELEMENT.timeout, wholeMs('timeout', element.timeoutMs))
  if (element.expiresMs !== undefined) writer.be64(ELEMENT.expiration, wholeMs('remaining time', element.expiresMs))
  if (element.comment !== undefined) writer.raw(ELEMENT.userdata, commentBytes(element.comment))
  writer.unnest(item)
}

/** Writes an element that is nothing but its key: for asking and deleting. */
export function writeKey(writer: MessageWriter, key: Uint8Array): void {
  const item = writer.nest(LIST_ITEM)
  writeKeyValue(writer, key)
  writer.unnest(item)
}

/**
 * Adds the live elements of a message to `into`. An element without `expiresMs` never ends; `timeoutMs` is missing where
 * it is the set's default. Keys are copies. Never throws.
 */
export function readElements(message: Message, into: SetElement[]): void {
  const fields = new Attributes()
  const key = new Attributes()
  const { bytes } = message
  forEachAttribute(bytes, message.start + FAMILY_HEADER_BYTES, message.end, (type, listStart, listEnd) => {
    if (type !== ELEMENTS.list) return
    forEachAttribute(bytes, listStart, listEnd, (itemType, start, end) => {
      if (itemType !== LIST_ITEM) return
      const element = elementOf(fields.read(bytes, start, end), key)
      if (element !== undefined) into.push(element)
    })
  })
}

function elementOf(fields: Attributes, scratch: Attributes): SetElement | undefined {
  const key = fields.nested(ELEMENT.key, scratch).view(DATA_VALUE)
  if (key === undefined) return undefined
  const expiresMs = fields.be64(ELEMENT.expiration)
  // Ended, only not collected yet.
  if (expiresMs === 0) return undefined
  const timeoutMs = fields.be64(ELEMENT.timeout)
  const userdata = fields.view(ELEMENT.userdata)
  const comment = userdata && commentOf(userdata)
  return {
    key: key.slice(),
    ...(timeoutMs ? { timeoutMs } : undefined),
    ...(expiresMs === undefined ? undefined : { expiresMs }),
    ...(comment === undefined ? undefined : { comment }),
  }
}

/** The comment in user data (type, length, bytes …), or undefined where there is none. Never throws. */
export function commentOf(userdata: Uint8Array): string | undefined {
  let at = 0
  while (userdata.length - at >= 2) {
    const end = at + 2 + userdata[at + 1]!
    if (end > userdata.length) return undefined
    if (userdata[at] === USERDATA_COMMENT) return textOf(userdata.subarray(at + 2, end))
    at = end
  }
  return undefined
}

function writeKeyValue(writer: MessageWriter, key: Uint8Array): void {
  if (key.length === 0 || key.length > LONGEST_KEY_BYTES) {
    throw new FirewallError('kernel', `key of ${key.length} bytes: expected 1–${LONGEST_KEY_BYTES}`)
  }
  const nest = writer.nest(ELEMENT.key)
  writer.raw(DATA_VALUE, key)
  writer.unnest(nest)
}

/** Zero would be an element without an end: a port that is open for ever. */
function wholeMs(what: string, ms: number): number {
  if (!(ms > 0 && ms <= Number.MAX_SAFE_INTEGER)) {
    throw new FirewallError('kernel', `${what} of ${ms} ms: expected more than 0 and at most 2^53`)
  }
  return Math.max(TICK_MS, Math.floor(ms))
}

function commentBytes(comment: string): Uint8Array {
  if (!COMMENT.test(comment)) {
    throw new FirewallError('kernel', `comment ${JSON.stringify(comment)}: expected ${COMMENT.source}`)
  }
  const bytes = new Uint8Array(3 + comment.length)
  bytes[0] = USERDATA_COMMENT
  bytes[1] = comment.length + 1
  for (let i = 0; i < comment.length; i++) bytes[2 + i] = comment.charCodeAt(i)
  return bytes
}
