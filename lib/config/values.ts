/**
 * What the values of options mean: booleans, numbers, seconds, ids, keys, words, names. A form takes a trimmed text and says
 * its value, or what it expected instead. Pure; never throws.
 */
import { parseId } from '../wire/ids.js'
import { quote } from './error.js'
import { trim } from './ini.js'

export type Reading<T> = { readonly value: T } | { readonly misfit: string; readonly expected: string }
export type Form<T> = (text: string) => Reading<T>

/** What was read does not fit. `shown` is quoted text; nothing is shown of a key. */
export function misfit(text: string, expected: string): { misfit: string; expected: string } {
  return { misfit: quote(text), expected }
}

const WORDS = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
])

export const boolean: Form<boolean> = (text) => {
  const value = WORDS.get(text.toLowerCase())
  return value === undefined ? misfit(text, 'yes or no') : { value }
}

/** One of these words, in any case. */
export function oneOf<const T extends string>(...words: readonly T[]): Form<T> {
  return (text) => {
    const value = words.find((word) => word === text.toLowerCase())
    return value === undefined ? misfit(text, words.join(', ')) : { value }
  }
}

const INTEGER = /^(?:\+?[0-9]+|0x\+?[0-9a-fA-F]+)$/

/** A whole number, decimal or `0x…`, within these bounds. */
export function integer(least: number, most: number): Form<number> {
  return (text) => {
    const value = numberOf(text)
    return value !== undefined && value >= least && value <= most ? { value } : misfit(text, `${least}–${most}`)
  }
}

/** The number that `22`, `+22`, `0022` or `0x16` means. */
function numberOf(text: string): number | undefined {
  if (!INTEGER.test(text)) return undefined
  return text.startsWith('0x') ? Number.parseInt(text.slice(2), 16) : Number.parseInt(text, 10)
}

export const MOST_SECONDS = 4_294_967_295
const DECIMAL = /^\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

/** Seconds, which may be fractional, `1e3` or `0x…`, within these bounds; in ms. */
export function seconds(least = 0, most = MOST_SECONDS): Form<number> {
  return (text) => {
    const value = numberOf(text) ?? (DECIMAL.test(text) ? Number(text) : undefined)
    if (value === undefined) return misfit(text, `seconds without a unit, ${least}–${most}`)
    return value >= least && value <= most
      ? { value: Math.round(value * 1000) }
      : misfit(text, `${least}–${most} seconds`)
  }
}

/** Zeros and a plus sign in front do not count, as in letmein. */
const ID = /^\+?0*([0-9a-fA-F]{1,8})$/

export const id: Form<number> = (text) => {
  const value = parseId(ID.exec(text)?.[1] ?? '')
  return value === undefined ? misfit(text, '1–8 hex digits') : { value }
}

const KEY_BYTES = 32

/** A key's 32 bytes. What it says of a text that is none shows nothing of it. */
export const key: Form<Uint8Array> = (text) => {
  const secret = (what: string, expected: string) => ({ misfit: what, expected })
  if (text.length !== 2 * KEY_BYTES) return secret(`${text.length} characters`, `${2 * KEY_BYTES} hex digits`)
  if (!/^[0-9a-fA-F]*$/.test(text)) return secret('not all are hex digits', `${2 * KEY_BYTES} hex digits`)
  if (/^0*$/.test(text)) return secret('all zeros', 'a random key, as from postern gen-key')
  if (/^[fF]*$/.test(text)) return secret('all ones', 'a random key, as from postern gen-key')
  const value = new Uint8Array(KEY_BYTES)
  for (let i = 0; i < KEY_BYTES; i++) value[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return { value }
}

/** Any text; an empty one is allowed. */
export const text: Form<string> = (value) => ({ value })

/** A host's name or address, as it is knocked at. */
export const hostName: Form<string> = (value) =>
  /^[^\s/]{1,253}$/.test(value) ? { value } : misfit(value, "a host's name or address")

/** A table's or chain's name: what letmein allows for chains and nft needs no quotes for. */
export const nftName: Form<string> = (value) =>
  /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? { value } : misfit(value, '1–64 of A–Z a–z 0–9 _ - .')

/** A network interface's name. */
export const interfaceName: Form<string> = (value) =>
  /^[A-Za-z0-9_.@-]{1,15}$/.test(value) ? { value } : misfit(value, "an interface's name, 1–15 of A–Z a–z 0–9 _ - . @")

/** Exactly one bit of a 32-bit mark, as a number. */
export const oneBit: Form<number> = (value) => {
  const bit = numberOf(value)
  const isOneBit = bit !== undefined && bit > 0 && bit <= 0x80000000 && Number.isInteger(Math.log2(bit))
  return isOneBit ? { value: bit } : misfit(value, 'exactly one bit, 0x1–0x80000000, as 0x10000')
}

/** Some of a form, separated by commas; none where the text is empty. */
export function listOf<T>(form: Form<T>): Form<T[]> {
  return (list) => {
    const value: T[] = []
    for (const item of list === '' ? [] : list.split(',')) {
      const reading = form(trim(item))
      if ('misfit' in reading) return reading
      value.push(reading.value)
    }
    return { value }
  }
}
