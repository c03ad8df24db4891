/**
 * Who is in the server's file, and changes of that in its text: a user comes, gets another key, goes. Every other line stays
 * as it is. Pure.
 */
import { formatId, parseId, type ResourceId, type UserId } from '../wire/ids.js'
import { mapOption, removeOptions, setOption } from './edit.js'
import { type Option, parseIni } from './ini.js'
import type { OldKey, Removed, ServerConfig } from './types.js'
import { oldKeyText, userName } from './users.js'
import { id } from './values.js'

/** Whom a word of a command line means: by name, or by an id, which begins with a digit or has eight. */
export type Named =
  | { readonly kind: 'known'; readonly user: UserId; readonly name?: string }
  | { readonly kind: 'id'; readonly user: UserId }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'misfit'; readonly expected: string }

/** `known`: [KEYS] or [USERS] has him. */
export function userNamed(word: string, { users, people }: ServerConfig): Named {
  const byName = [...people].find(([, { name }]) => name === word)
  if (byName !== undefined) return { kind: 'known', user: byName[0], name: word }
  const isId = /^[0-9]/.test(word) || word.length === 8
  const user = isId ? parseId(word) : undefined
  if (user !== undefined) {
    const name = people.get(user)?.name
    if (users.has(user) || people.has(user)) return { kind: 'known', user, ...(name !== undefined && { name }) }
    return { kind: 'id', user }
  }
  const name = userName(word)
  if ('value' in name) return { kind: 'name', name: word }
  return { kind: 'misfit', expected: `a name (${name.expected}) or an id like 00000002` }
}

/** The least id that nothing in the file speaks of, from 1 on. Of who was removed it does. */
export function freeId(config: ServerConfig): UserId {
  const taken = new Set([
    ...config.users.keys(),
    ...config.oldKeys.keys(),
    ...config.people.keys(),
    ...config.removed.keys(),
  ])
  for (const { users = [] } of config.resources.values()) for (const user of users) taken.add(user)
  let free = 1
  while (taken.has(free)) free++
  return free
}

/** With this key, and with a name where one is given. 32 bytes. */
export function withUser(text: string, user: UserId, key: Uint8Array, name?: string): string {
  const hex = Buffer.from(key).toString('hex').toUpperCase()
  const keyed = setOption(text, 'KEYS', formatId(user), hex, isUser(user))
  return name === undefined ? keyed : setOption(keyed, 'USERS', formatId(user), `name: ${name}`, isUser(user))
}

/** With exactly these old keys of a user. */
export function withOldKeys(text: string, user: UserId, oldKeys: readonly OldKey[]): string {
  if (oldKeys.length === 0) return removeOptions(text, 'OLD KEYS', isUser(user))
  return setOption(text, 'OLD KEYS', formatId(user), oldKeys.map(oldKeyText).join(', '), isUser(user))
}

/** With his id in the `users:` of a resource that has such a list and not his id in it. */
export function withResource(text: string, user: UserId, resource: ResourceId): string {
  const option = parseIni(text)
    .sections.get('RESOURCES')
    ?.options.find(({ name }) => idIn(name) === resource)
  if (option === undefined || idsOf(option).length === 0 || idsOf(option).includes(user)) return text
  return mapOption(text, option, (value) =>
    value.replace(USERS_PART, (_, head: string, list: string) => {
      const end = /\s*$/.exec(list)![0]
      return `${head}${list.slice(0, list.length - end.length)},${formatId(user)}${end}`
    }),
  )
}

export interface Removal {
  readonly text: string
  /** Resources that name nobody else: a `users:` without a user would mean everybody, so his id stays there. */
  readonly onlyHis: readonly string[]
}

/**
 * Without his keys, his rights and, in the resources that name others too, his id. What stays is one line of [USERS] that says
 * when he went, and his name: the id is nobody else's from now on.
 */
export function withoutUser(text: string, user: UserId, { atMs, name }: Removed): Removal {
  const onlyHis: string[] = []
  const removed = `removed: ${new Date(atMs).toISOString().slice(0, 19)}Z`
  let rest = setOption(
    text,
    'USERS',
    formatId(user),
    name === undefined ? removed : `${removed} / name: ${name}`,
    isUser(user),
  )
  for (const section of ['KEYS', 'OLD KEYS']) rest = removeOptions(rest, section, isUser(user))
  const names =
    parseIni(rest)
      .sections.get('RESOURCES')
      ?.options.map(({ name }) => name) ?? []
  for (const name of names) {
    const option = parseIni(rest)
      .sections.get('RESOURCES')!
      .options.find((one) => one.name === name)!
    const ids = idsOf(option)
    if (!ids.includes(user)) continue
    if (ids.every((one) => one === user)) onlyHis.push(name)
    else rest = mapOption(rest, option, (value) => withoutId(value, user))
  }
  return { text: rest, onlyHis }
}

const USERS_PART = /((?:=|\/)\s*users\s*:)([^/]*)/

function idsOf({ value }: Option): (UserId | undefined)[] {
  const list = USERS_PART.exec(`=${value}`)?.[2]
  return list === undefined ? [] : list.split(',').map(idIn)
}

function withoutId(rows: string, user: UserId): string {
  return rows.replace(USERS_PART, (_, head: string, list: string) => {
    const end = /\s*$/.exec(list)![0]
    const kept = list
      .slice(0, list.length - end.length)
      .split(',')
      .filter((one) => idIn(one) !== user)
    return `${head}${kept.join(',')}${end}`
  })
}

function idIn(text: string): UserId | undefined {
  const reading = id(text.trim())
  return 'value' in reading ? reading.value : undefined
}

function isUser(user: UserId): (name: string) => boolean {
  return (name) => idIn(name) === user
}
