/**
 * What the server's file says of its users beside their keys: [USERS], a line of parts as a resource has, of who is there and
 * who was taken out, and [OLD KEYS], keys that a rotation left valid for a while. No message shows anything of a key.
 */
import { formatId, parseId, type UserId } from '../wire/ids.js'
import { type Findings, quote } from './error.js'
import { hours } from './hours.js'
import { type Section, trim } from './ini.js'
import { network } from './networks.js'
import { PartReader, splitParts } from './parts.js'
import type { OldKey, Person, Removed, ServerConfig } from './types.js'
import { type Form, id, key, listOf, misfit } from './values.js'

/** What commands and the log call a user. It begins with a letter and is no id of eight digits, so that each can be told. */
export const userName: Form<string> = (text) =>
  /^[A-Za-z][A-Za-z0-9_.@-]{0,31}$/.test(text) && !(text.length === 8 && parseId(text) !== undefined)
    ? { value: text }
    : misfit(text, '1–32 of A–Z a–z 0–9 _ - . @, a letter first, and not 8 hex digits')

/** [USERS]: who they are, and who they were. Users without a key are told of, and kept. */
export function readUsers(
  sections: ReadonlyMap<string, Section>,
  keys: ReadonlyMap<UserId, Uint8Array>,
  findings: Findings,
): { people: Map<UserId, Person>; removed: Map<UserId, Removed> } {
  const people = new Map<UserId, Person>()
  const removed = new Map<UserId, Removed>()
  const owners = new Map<string, UserId>()
  for (const option of sections.get('USERS')?.options ?? []) {
    const user = id(option.name)
    if ('misfit' in user) {
      findings.refuse(option.line, `[USERS] user ${user.misfit}: expected ${user.expected}`)
      continue
    }
    const title = `[USERS] user ${formatId(user.value)}`
    if (people.has(user.value) || removed.has(user.value)) findings.refuse(option.line, `${title} is here twice`)
    const parts = splitParts(option)
    const reader = new PartReader(option, title, findings)
    reader.sort(parts, ['name', 'until', 'hours', 'from', 'removed'], [])
    for (const { name, text, line } of parts)
      if (name === undefined) reader.refuse(line, `${quote(text)}: expected NAME: VALUE between "/", like name: alice`)
    const name = reader.take('name', userName, undefined)
    if (reader.has('removed')) {
      removed.set(user.value, readRemoved(reader, name, keys.has(user.value)))
      continue
    }
    const owner = name === undefined ? undefined : owners.get(name)
    if (owner !== undefined) reader.refuse(reader.line('name'), `name "${name}": user ${formatId(owner)} has it`)
    if (name !== undefined) owners.set(name, user.value)
    if (!keys.has(user.value)) reader.warn(option.line, 'has no key in [KEYS]')
    const untilMs = reader.take('until', endOfDayOrTime, undefined)
    const when = reader.take('hours', listOf(hours), undefined)
    const networks = reader.take('from', listOf(network), undefined)
    for (const [part, list] of [
      ['hours', when],
      ['from', networks],
    ] as const)
      if (list?.length === 0)
        reader.refuse(reader.line(part), `${part}: expected one at least; without the part it is any`)
    people.set(user.value, {
      ...(name === undefined ? {} : { name }),
      ...(untilMs === undefined ? {} : { untilMs }),
      ...(when === undefined ? {} : { hours: when }),
      ...(networks === undefined ? {} : { networks }),
    })
  }
  return { people, removed }
}

/** Nothing else may be said of him: a key or a right would be somebody's who is not there. The name may be anybody's again. */
function readRemoved(reader: PartReader, name: string | undefined, hasKey: boolean): Removed {
  const atMs = reader.take('removed', timeInUtc, 0)
  if (hasKey)
    reader.refuse(
      reader.line('removed'),
      'was removed, and has a key in [KEYS]: expected one of the two lines, and an id of his own for somebody else',
    )
  for (const part of ['until', 'hours', 'from'])
    if (reader.has(part)) reader.refuse(reader.line(part), `${part}: expected removed: and name: alone`)
  return { atMs, ...(name === undefined ? {} : { name }) }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/

const timeInUtc: Form<number> = (text) => {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? misfit(text, 'a time in UTC, like 2026-11-29T20:00:00Z') : { value: ms }
}

/** A day that is the last, in the server's time zone, or a time in UTC. */
const endOfDayOrTime: Form<number> = (text) => {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)?.map(Number) ?? []
  const next = year === undefined ? undefined : new Date(year, month! - 1, day! + 1)
  const isDay = next !== undefined && new Date(year!, month! - 1, day!).getDate() === day
  const ms = isDay ? next.getTime() : TIME.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms)
    ? misfit(text, 'his last day, like 2027-03-31, or a time in UTC, like 2027-03-31T20:00:00Z')
    : { value: ms }
}

/** [OLD KEYS]: `USER = KEY until TIME`, several by commas. Those of users without a key of today are let be: they open nothing. */
export function readOldKeys(
  sections: ReadonlyMap<string, Section>,
  keys: ReadonlyMap<UserId, Uint8Array>,
  findings: Findings,
): Map<UserId, readonly OldKey[]> {
  const oldKeys = new Map<UserId, readonly OldKey[]>()
  for (const { name, value, line } of sections.get('OLD KEYS')?.options ?? []) {
    const user = id(name)
    const who = 'value' in user ? formatId(user.value) : name.length > 16 ? `(${name.length} characters)` : quote(name)
    const refuse = (what: string) => findings.refuse(line, `[OLD KEYS] user ${who}${what}`)
    if ('misfit' in user) refuse(`: expected ${user.expected}`)
    const read = trim(value).split(',').map(oldKey)
    for (const entry of read) if ('misfit' in entry) refuse(`: ${entry.misfit}: expected ${entry.expected}`)
    if ('misfit' in user) continue
    if (oldKeys.has(user.value)) refuse(' is here twice')
    if (!keys.has(user.value))
      findings.warn(line, `[OLD KEYS] user ${who} has no key in [KEYS], so his old ones are dead`)
    else
      oldKeys.set(
        user.value,
        read.flatMap((entry) => ('value' in entry ? [entry.value] : [])),
      )
  }
  return oldKeys
}

const OLD_KEY = /^(\S+)\s+until\s+(\S+)$/

const oldKey: Form<OldKey> = (text) => {
  const [, hex = '', time = ''] = OLD_KEY.exec(trim(text)) ?? []
  if (hex === '') return { misfit: 'a part without "until"', expected: 'KEY until TIME' }
  const bytes = key(hex)
  if ('misfit' in bytes) return { misfit: `the key: ${bytes.misfit}`, expected: bytes.expected }
  const until = timeInUtc(time)
  return 'misfit' in until ? until : { value: { key: bytes.value, untilMs: until.value } }
}

/** How many keys these users have in all. */
export function keyCount(ids: Iterable<UserId>, { users, oldKeys }: Pick<ServerConfig, 'users' | 'oldKeys'>): number {
  let count = 0
  for (const user of ids) if (users.has(user)) count += 1 + (oldKeys.get(user)?.length ?? 0)
  return count
}

/** An old key's line in the file. */
export function oldKeyText({ key: bytes, untilMs }: OldKey): string {
  const time = new Date(untilMs).toISOString().replace(/\.\d+/, '')
  return `${Buffer.from(bytes).toString('hex').toUpperCase()} until ${time}`
}
