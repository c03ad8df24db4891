/** Values as nft writes them. Pure. */
import type { PortRange } from '../config/types.js'
import { formatId, type ResourceId } from '../wire/ids.js'
import { addressOfKey } from './names.js'
import type { SetElement } from './types.js'

/** A range of ports and the resource that it belongs to. */
export interface Guarded {
  readonly id: ResourceId
  readonly range: PortRange
}

/** `22, 60000-60010`. */
export function rangesText(ranges: readonly Guarded[]): string {
  return ranges.map(({ range }) => rangeText(range)).join(', ')
}

/** `22 : goto r_00000001, 60000-60010 : goto r_00000002`. */
export function verdictsText(ranges: readonly Guarded[]): string {
  return ranges.map(({ id, range }) => `${rangeText(range)} : goto r_${formatId(id)}`).join(', ')
}

/** `22`, `6000-6010`. */
export function rangeText({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`
}

/** Twice what is expected, as a power of two, so that it seldom changes with the number of users. */
export function sizeText(expected: number): string {
  return `${2 ** Math.ceil(Math.log2(2 * expected))}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** `1h30s250ms`, the form in which nft lists it. Throws RangeError below 1 ms: to nft no time is no end. */
export function timeText(ms: number): string {
  if (!(ms >= 1)) throw new RangeError(`${ms} ms: expected 1 or more`)
  let left = Math.round(ms)
  let text = ''
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length)
    if (count > 0) text += `${count}${unit}`
    left -= count * length
  }
  return text
}

/** An element of a set of addresses, with what it has left. */
export function elementText({ key, timeoutMs, expiresMs, comment }: SetElement): string {
  let text = addressOfKey(key)
  if (timeoutMs !== undefined) text += ` timeout ${timeText(timeoutMs)}`
  if (expiresMs !== undefined) text += ` expires ${timeText(expiresMs)}`
  return comment === undefined ? text : `${text} comment "${comment}"`
}
