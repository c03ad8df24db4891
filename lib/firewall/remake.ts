/** What becomes of leases when the sets that they are in are loaded anew, as nft text for the same transaction. Pure. */
import type { ServerConfig } from '../config/types.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import type { Entry } from './book.js'
import { ownerOf } from './comments.js'
import { isSameStanza, stanzaOf } from './fwknop-users.js'
import { isKept, type Plan, setOf } from './installation.js'
import type { Found } from './kernel-leases.js'
import { leaseKey, leaseKind } from './names.js'
import { elementText, timeText } from './nft-text.js'
import { keysOf, LEAST_LEASE_MS, mayUse } from './policy.js'
import type { SetRef } from './types.js'

const ELEMENTS_A_LINE = 500
const FAMILY_NAMES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 10: 'ip6' }

/** A configuration that takes another's place (at a start: its own). */
export interface Succession {
  readonly before: ServerConfig
  readonly after: ServerConfig
  /** At a start: whether what gave a lease is no more what it was. */
  readonly isOutdated?: ((entry: Entry) => boolean) | undefined
}

/**
 * Which of the leases found stay, and the text that makes it so: in a set that stays those that may not stay are taken out,
 * in one that is made anew those that may are made again with what they have left.
 */
export function settle(
  found: readonly Found[],
  plan: Plan,
  succession: Succession,
  nowMs: number,
): { staying: Entry[]; text: string } {
  const everyoneStays = remembered((id: ResourceId) => canAllStillUse(id, succession))
  const [allowed, gone]: [Found[], Entry[]] = [[], []]
  for (const one of found) {
    if (!succession.isOutdated?.(one.entry) && mayStay(one.entry, succession, everyoneStays)) allowed.push(one)
    else gone.push(one.entry)
  }
  const staying = allowed.filter((one) => !one.counted || isInKept(one.entry, plan)).map(({ entry }) => entry)
  return { staying, text: remakeText(staying, plan, nowMs) + removeText(gone, plan) + tokensText(plan) }
}

/** Its resource is there, and whoever opened it may still do so, with the key that he had. */
function mayStay(
  { resource, user, comment }: Entry,
  to: Succession,
  everyoneStays: (id: ResourceId) => boolean,
): boolean {
  const [was, is] = [to.before.resources.get(resource), to.after.resources.get(resource)]
  if (is === undefined || JSON.stringify(was?.prefix) !== JSON.stringify(is.prefix)) return false
  if (user !== undefined) return canStillUse(user, resource, to)
  // An instant lease whose record is not here yet: it may be of anybody who could open the resource.
  return ownerOf(comment).by === 'admin' || everyoneStays(resource)
}

function canStillUse(user: UserId, id: ResourceId, { before, after }: Succession): boolean {
  const resource = after.resources.get(id)
  if (resource === undefined || !mayUse(user, resource, after)) return false
  const stanza = stanzaOf(user, after)
  if (stanza !== undefined) return before === after || isSameStanza(stanzaOf(user, before), stanza)
  // Which of his keys opened it cannot be told, so each must live on, be it as an old one.
  return (
    before === after || keysOf(user, before).every((key) => keysOf(user, after).some((kept) => sameBytes(key, kept)))
  )
}

function canAllStillUse(id: ResourceId, succession: Succession): boolean {
  const { before, after } = succession
  const resource = before.resources.get(id)
  if (before === after || resource === undefined) return true
  return [...before.users.keys()].every((user) => !mayUse(user, resource, before) || canStillUse(user, id, succession))
}

/** Each answer is worked out once. */
function remembered<K, V>(answer: (key: K) => V): (key: K) => V {
  const answers = new Map<K, V>()
  return (key) => {
    if (!answers.has(key)) answers.set(key, answer(key))
    return answers.get(key)!
  }
}

function isInKept({ resource, address }: Entry, plan: Plan): boolean {
  const set = setOf(plan, leaseKind(address), resource)
  return set !== undefined && isKept(plan, set)
}

/** Adds these leases to sets that the plan makes anew (those that stay have theirs). What has ended is left out. */
function remakeText(entries: readonly Entry[], plan: Plan, nowMs: number): string {
  const elements = new Map<string, { ref: SetRef; texts: string[] }>()
  const latest = new Map<ResourceId, number>()
  for (const { resource, address, endMs, lengthMs, comment } of entries) {
    const leftMs = endMs - nowMs
    if (leftMs < LEAST_LEASE_MS) continue
    latest.set(resource, Math.max(leftMs, latest.get(resource) ?? 0))
    const ref = setOf(plan, leaseKind(address), resource)
    if (ref === undefined || isKept(plan, ref)) continue
    const list = elements.get(placeText(ref)) ?? { ref, texts: [] }
    elements.set(placeText(ref), list)
    const timed = { key: leaseKey(address), timeoutMs: Math.max(lengthMs, leftMs), expiresMs: leftMs }
    list.texts.push(elementText(comment === undefined ? timed : { ...timed, comment }))
  }
  let text = ''
  for (const { ref, texts } of elements.values())
    for (let i = 0; i < texts.length; i += ELEMENTS_A_LINE) text += addText(ref, texts.slice(i, i + ELEMENTS_A_LINE))
  for (const [resource, leftMs] of latest) {
    const live = setOf(plan, 'live', resource)
    if (live !== undefined && !isKept(plan, live))
      text += addText(
        live,
        liveNames(live).map((name) => `${name} timeout ${timeText(leftMs)}`),
      )
  }
  return text
}

/** Takes these leases out of sets that stay; a lease that has just ended is no error. */
function removeText(entries: readonly Entry[], plan: Plan): string {
  let text = ''
  for (const { resource, address } of entries) {
    const ref = setOf(plan, leaseKind(address), resource)
    if (ref === undefined || !isKept(plan, ref)) continue
    text += addText(ref, [elementText({ key: leaseKey(address) })])
    text += `delete element ${placeText(ref)} { ${address} }\n`
  }
  return text
}

/** A token must not outlive the memory of its use: where that is made anew, the tokens go. */
function tokensText({ own: { kept, table } }: Plan): string {
  if (kept.has('used')) return ''
  const tokens = [...kept].filter((set) => set.startsWith('inst_'))
  return tokens.map((set) => `flush set inet ${table.table} ${set}\n`).join('')
}

function addText(ref: SetRef, elements: readonly string[]): string {
  return `add element ${placeText(ref)} { ${elements.join(', ')} }\n`
}

function liveNames({ family }: SetRef): string[] {
  return family === 2 ? ['ip'] : family === 10 ? ['ip6'] : ['ip', 'ip6']
}

function placeText({ family, table, set }: SetRef): string {
  return `${FAMILY_NAMES[family]} ${table} ${set}`
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.from(a).equals(b)
}
