/** Whether a request may be done at all, held against our own configuration: what came over a channel is not believed. Pure. */
import type { Resource, ServerConfig } from '../config/types.js'
import { canonicalAddress } from '../wire/address.js'
import { formatId, type UserId } from '../wire/ids.js'
import { longestMs, stanzaMayOpen, stanzaOf } from './fwknop-users.js'
import type { LeaseOutcome, LeaseRequest } from './types.js'

type Refused = Extract<LeaseOutcome, { kind: 'refused' }>

/** The resource that it is about, or why not. */
export function judge(request: LeaseRequest, config: ServerConfig): { resource: Resource } | Refused {
  const resource = config.resources.get(request.resource)
  if (resource === undefined) return { kind: 'refused', why: 'unknown-resource', detail: formatId(request.resource) }
  if (request.user !== undefined && !mayUse(request.user, resource, config))
    return { kind: 'refused', why: 'user', detail: formatId(request.user) }
  if (canonicalAddress(request.address) !== request.address)
    return {
      kind: 'refused',
      why: 'family',
      detail: `${JSON.stringify(request.address)}: expected an address in canonical form`,
    }
  return { resource }
}

/** Whether this user has a key, or is a stanza of fwknop's, and may open it. */
export function mayUse(user: UserId, resource: Resource, config: ServerConfig): boolean {
  const stanza = stanzaOf(user, config)
  if (stanza !== undefined) return stanzaMayOpen(stanza, resource.id, config)
  return config.users.has(user) && (resource.users === undefined || resource.users.includes(user))
}

/** The keys that a user has in a configuration, that of today first; none of a user who is not there. */
export function keysOf(user: UserId, { users, oldKeys }: Pick<ServerConfig, 'users' | 'oldKeys'>): Uint8Array[] {
  const today = users.get(user)
  return today === undefined ? [] : [today, ...(oldKeys.get(user) ?? []).map(({ key: bytes }) => bytes)]
}

/**
 * The kernel counts in jiffies: an element whose time rounds to none would never end (or begin anew). Nothing shorter is
 * written; a lease with less left has as good as ended.
 */
export const LEAST_LEASE_MS = 100

/** The lease's length: the resource's own where none is wanted, never above its greatest, nor above that of a stanza of fwknop's. */
export function lengthOf({ lifetimeMs, user }: LeaseRequest, resource: Resource, config: ServerConfig): number {
  const stanza = stanzaOf(user, config)
  const mostMs = stanza === undefined ? resource.maxTimeoutMs : Math.min(resource.maxTimeoutMs, longestMs(stanza))
  return Math.max(LEAST_LEASE_MS, Math.min(lifetimeMs > 0 ? lifetimeMs : resource.timeoutMs, mostMs))
}
