/** Reads foreign JSON field by field: each function gives the value, or throws a ShapeError that says what was expected where. */

import { parseId } from '../../lib/wire/ids.js'

/** The file is not of the expected shape. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
  readonly code = 'shape'
}

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, value, 'an object')
  return value as Fields
}

/** A list of objects; an absent one is empty. */
export function listOf(fields: Fields, name: string): Fields[] {
  const value = fields[name] ?? []
  if (!Array.isArray(value)) throw wrong(name, value, 'a list')
  return value.map((entry, i) => fieldsOf(entry, `${name}[${i}]`))
}

export function textOf(fields: Fields, name: string, where: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw wrong(`${where}.${name}`, value, 'text')
  return value
}

export function wholeOf(fields: Fields, name: string, where: string): number {
  const value = fields[name]
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw wrong(`${where}.${name}`, value, 'a whole number from 0')
  return value as number
}

/** Bytes written as hex digits in any case. */
export function bytesOf(fields: Fields, name: string, where: string): Uint8Array {
  const text = textOf(fields, name, where)
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw wrong(`${where}.${name}`, text, 'bytes as hex digits')
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

/** A user or resource, as 1–8 hex digits. */
export function idOf(fields: Fields, name: string, where: string): number {
  const text = textOf(fields, name, where)
  const id = parseId(text)
  if (id === undefined) throw wrong(`${where}.${name}`, text, '1–8 hex digits')
  return id
}

/** A field that may be null or absent. */
export function optional<T>(
  read: (fields: Fields, name: string, where: string) => T,
  fields: Fields,
  name: string,
  where: string,
): T | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : read(fields, name, where)
}

export function wrong(where: string, value: unknown, expected: string): ShapeError {
  const found = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 60)
  return new ShapeError(`${where}: expected ${expected}, found ${found}`)
}
