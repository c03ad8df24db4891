/**
 * By which keys, stanzas and prefixes the kernel's leases were given: a restart within one boot keeps leases, but not those
 * whose key was changed, or whose prefix, while no daemon ran. The mark lies in /run beside that of the boot; from it no key
 * can be made, but a poor passphrase of access.conf could be guessed, so it is the monitor's alone.
 *
 *     user 0000000A 1f8d…  77c0…
 *     resource 00000016 0b7e…  9a41…
 */
import { hash } from 'node:crypto'
import type { Resource, ServerConfig } from '../config/types.js'
import type { Entry } from '../firewall/book.js'
import { ownerOf } from '../firewall/comments.js'
import { stanzaContent, stanzaOf } from '../firewall/fwknop-users.js'
import { keysOf } from '../firewall/policy.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import { readMonitorFile, writeMonitorFile } from './monitor-file.js'

/** Below the run directory. */
export const LEASES_MARK = 'monitor/leases'

interface Rights {
  /** Of each user's keys, or of his stanza. */
  readonly users: ReadonlyMap<UserId, readonly string[]>
  /** Of each resource's prefix, and of who may open it. */
  readonly resources: ReadonlyMap<ResourceId, readonly string[]>
}

/** What leases are given by from here on. Throws StateError: then the next start finds another mark. */
export function markLeases(path: string, config: ServerConfig): void {
  writeMonitorFile(path, formatRights(rightsOf(config)), 0o600)
}

/**
 * Whether a lease that is found was given by what this configuration has no more. Without a mark it is not known by what, and
 * all that users have is outdated. Never throws.
 */
export function outdatedBy(path: string, config: ServerConfig): (lease: Omit<Entry, 'endMs' | 'lengthMs'>) => boolean {
  // Read where there is a lease to be judged: for 100,000 users it is half a second.
  let found: { readonly before: Rights | undefined } | undefined
  let all: boolean | undefined
  return ({ resource, user, comment }) => {
    found ??= { before: readRights(path) }
    const { before } = found
    const isAdmin = ownerOf(comment).by === 'admin'
    if (before === undefined) return !isAdmin
    const [was, is] = [before.resources.get(resource), ofResource(config.resources.get(resource))]
    if (was?.[0] !== is[0]) return true
    if (user !== undefined) return !livesOn(user, before, config)
    // Of an instant lease whose record was not read it is not known whose it is.
    if (isAdmin) return false
    all ??= [...before.users.keys()].every((one) => livesOn(one, before, config))
    return was?.[1] !== is[1] || !all
  }
}

/** Which of his keys opened it cannot be told, so each must live on, be it as an old one. */
function livesOn(user: UserId, before: Rights, config: ServerConfig): boolean {
  const now = ofUser(user, config)
  return before.users.get(user)?.every((key) => now.includes(key)) === true
}

function rightsOf(config: ServerConfig): Rights {
  const users = [...config.users.keys(), ...(config.fwknop?.settings.stanzas.map(({ user }) => user) ?? [])]
  return {
    users: new Map(users.map((user) => [user, ofUser(user, config)])),
    resources: new Map([...config.resources].map(([id, resource]) => [id, ofResource(resource)])),
  }
}

function ofUser(user: UserId, config: ServerConfig): string[] {
  const stanza = stanzaOf(user, config)
  return stanza === undefined ? keysOf(user, config).map(fingerprint) : [fingerprint(stanzaContent(stanza))]
}

function ofResource(resource: Resource | undefined): string[] {
  if (resource === undefined) return []
  const { prefix, users, instant } = resource
  return [fingerprint(JSON.stringify(prefix) ?? ''), fingerprint(`${instant} ${users?.join()}`)]
}

function fingerprint(of: Uint8Array | string): string {
  return hash('sha256', of, 'hex').slice(0, 16)
}

function formatRights({ users, resources }: Rights): string {
  const lines = (word: string, of: Rights['users']) =>
    [...of].map(([id, prints]) => `${word} ${formatId(id)} ${prints.join(' ')}\n`).join('')
  return lines('user', users) + lines('resource', resources)
}

function readRights(path: string): Rights | undefined {
  let text: string
  try {
    text = readMonitorFile(path)
  } catch {
    return undefined
  }
  const [users, resources] = [new Map<UserId, string[]>(), new Map<ResourceId, string[]>()]
  for (const line of text.split('\n')) {
    const [word, id = '', ...prints] = line.split(' ')
    if (word === 'user') users.set(Number.parseInt(id, 16), prints)
    if (word === 'resource') resources.set(Number.parseInt(id, 16), prints)
  }
  return { users, resources }
}
