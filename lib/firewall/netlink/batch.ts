/**
 * Changes as one transaction's bytes: begin, messages, end; only the last message asks for an answer. Pure.
 */
import type { Change, SetElement, SetRef } from '../types.js'
import { elementBytes, keyBytes, writeElement, writeKey, writeSetName } from './elements.js'
import { align } from './message.js'
import { ELEMENTS, FLAG, MESSAGE, NFT_MESSAGE, SUBSYSTEM } from './numbers.js'
import type { MessageWriter } from './writer.js'

/** An attribute's length has 16 bits, and the list of elements is one attribute. */
const LONGEST_LIST_BYTES = 0xffff - 3
/** Begin and end: a header each. */
const FRAME_BYTES = 40

/** What a message of a transaction does, to tell which one the kernel refused. */
export interface Step {
  readonly set: SetRef
  readonly kind: Change['kind']
}

/** Writes the whole transaction; gives back its steps, of which the n-th has the sequence number `first + 1 + n`. */
export function writeBatch(writer: MessageWriter, changes: readonly Change[], first: number): Step[] {
  const steps: Step[] = []
  const sequence = () => first + 1 + steps.length
  beginBatch(writer, first)
  for (const change of changes) {
    if (change.kind === 'flush') {
      beginElements(writer, NFT_MESSAGE.deleteElement, 0, sequence(), change.set)
      writer.finish()
      steps.push({ set: change.set, kind: 'flush' })
      continue
    }
    const { kind } = change
    const set = kind === 'add' ? change.to : change.from
    const write = <T>(
      type: number,
      items: readonly T[],
      sizeOf: (item: T) => number,
      writeOne: (to: MessageWriter, item: T) => void,
    ): void => {
      for (let next = 0; next < items.length; ) {
        beginElements(writer, type, type === NFT_MESSAGE.newElement ? FLAG.create : 0, sequence(), set)
        const list = writer.nest(ELEMENTS.list)
        const limit = writer.messageBytes + LONGEST_LIST_BYTES - 4
        do writeOne(writer, items[next++]!)
        while (next < items.length && writer.messageBytes + sizeOf(items[next]!) <= limit)
        writer.unnest(list)
        writer.finish()
        steps.push({ set, kind })
      }
    }
    const keys = kind === 'remove' ? change.keys : change.replace ? change.elements.map((element) => element.key) : []
    if (keys.length > 0) {
      const distinct = withoutDoubles(keys)
      write(NFT_MESSAGE.newElement, distinct, keyBytes, writeKey)
      write(NFT_MESSAGE.deleteElement, distinct, keyBytes, writeKey)
    }
    if (kind === 'add') write<SetElement>(NFT_MESSAGE.newElement, change.elements, elementBytes, writeElement)
  }
  if (steps.length > 0) endBatch(writer, sequence())
  return steps
}

/** The message that starts a transaction. */
export function beginBatch(writer: MessageWriter, sequence: number): void {
  writer.begin(MESSAGE.batchBegin, 0, sequence, 0, SUBSYSTEM.nfTables)
  writer.finish()
}

/** Makes the message written last the one that is answered, and ends the transaction. */
export function endBatch(writer: MessageWriter, sequence: number): void {
  writer.askForAnswer()
  writer.begin(MESSAGE.batchEnd, 0, sequence, 0, SUBSYSTEM.nfTables)
  writer.finish()
}

/** At most so many bytes is a transaction of these changes. */
export function batchBytes(changes: readonly Change[]): number {
  return FRAME_BYTES + changes.reduce((sum, change) => sum + changeBytes(change), 0)
}

/**
 * The same changes in the same order as several transactions of at most `maxBytes` each (more only where one element is
 * larger). Each is all or nothing for itself.
 */
export function splitChanges(changes: readonly Change[], maxBytes: number): Change[][] {
  const parts: Change[][] = []
  let part: Change[] = []
  let used = FRAME_BYTES
  const put = (change: Change, bytes: number) => {
    if (part.length > 0 && used + bytes > maxBytes) {
      parts.push(part)
      part = []
      used = FRAME_BYTES
    }
    part.push(change)
    used += bytes
  }
  for (const change of changes) {
    for (const piece of piecesOf(change, maxBytes - FRAME_BYTES)) put(piece, changeBytes(piece))
  }
  if (part.length > 0) parts.push(part)
  return parts
}

function piecesOf(change: Change, maxBytes: number): Change[] {
  if (change.kind === 'flush' || changeBytes(change) <= maxBytes) return [change]
  if (change.kind === 'remove') {
    return slices(change.keys, (keys) => changeBytes({ ...change, keys }), maxBytes).map((keys) => ({
      ...change,
      keys,
    }))
  }
  return slices(change.elements, (elements) => changeBytes({ ...change, elements }), maxBytes).map((elements) => ({
    ...change,
    elements,
  }))
}

/** Halves until each part fits. */
function slices<T>(items: readonly T[], bytesOf: (items: readonly T[]) => number, maxBytes: number): (readonly T[])[] {
  if (items.length <= 1 || bytesOf(items) <= maxBytes) return [items]
  const middle = items.length >> 1
  return [...slices(items.slice(0, middle), bytesOf, maxBytes), ...slices(items.slice(middle), bytesOf, maxBytes)]
}

function changeBytes(change: Change): number {
  if (change.kind === 'flush') return headBytes(change.set)
  const set = change.kind === 'add' ? change.to : change.from
  const messages = (bytes: number) => bytes + headBytes(set) * (1 + Math.ceil(bytes / (LONGEST_LIST_BYTES / 2)))
  let bytes = 0
  if (change.kind === 'remove') return 2 * messages(change.keys.reduce((sum, key) => sum + keyBytes(key), 0))
  for (const element of change.elements) bytes += elementBytes(element)
  if (!change.replace) return messages(bytes)
  return messages(bytes) + 2 * messages(change.elements.reduce((sum, element) => sum + keyBytes(element.key), 0))
}

/** Headers, names (UTF-8: at most three bytes for each unit) and the list's own header of one message. */
function headBytes(set: SetRef): number {
  return 20 + 4 + align(3 * set.table.length + 1) + 4 + align(3 * set.set.length + 1) + 4
}

function beginElements(writer: MessageWriter, type: number, flags: number, sequence: number, set: SetRef): void {
  writer.begin(type, flags, sequence, set.family)
  writeSetName(writer, set)
}

/** Deleting a key twice would refuse the whole transaction. */
function withoutDoubles(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  if (keys.length < 2) return keys
  const distinct = new Map(keys.map((key) => [String.fromCharCode(...key), key]))
  return distinct.size === keys.length ? keys : [...distinct.values()]
}
