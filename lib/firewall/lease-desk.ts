/**
 * Decides one request after another against the kernel's present leases and puts what has to change into a draft. A lease's
 * end only ever moves later, whichever verb, until it is revoked or runs out.
 */
import type { Resource, ServerConfig } from '../config/types.js'
import type { ResourceId } from '../wire/ids.js'
import type { Entry, LeaseBook } from './book.js'
import { leaseComment, ownerOf } from './comments.js'
import type { Draft } from './draft.js'
import type { Installation } from './installation.js'
import { entryOf } from './kernel-leases.js'
import { Limits } from './limits.js'
import { connKind, leaseKey, leaseKind, liveKeys } from './names.js'
import { judge, LEAST_LEASE_MS, lengthOf } from './policy.js'
import { leasedAddress } from './prefix.js'
import { Twins } from './twins.js'
import type { Kernel, LeaseOutcome, LeaseRequest, SetElement, SetRef } from './types.js'

const FAMILIES: Readonly<Record<number, readonly (4 | 6)[]>> = { 1: [4, 6], 2: [4], 10: [6] }

export class LeaseDesk {
  readonly #kernel: Kernel
  readonly #installation: Installation
  readonly #book: LeaseBook
  readonly #limits: Limits
  readonly #twins = new Twins()

  constructor(kernel: Kernel, installation: Installation, book: LeaseBook) {
    this.#kernel = kernel
    this.#installation = installation
    this.#book = book
    this.#limits = new Limits(book)
  }

  /** What becomes of a request. Throws FirewallError where the kernel does not answer. */
  decide(asked: LeaseRequest, draft: Draft, config: ServerConfig, nowMs: number): LeaseOutcome {
    const judged = judge(asked, config)
    if ('kind' in judged) return judged
    const { resource } = judged
    const request = { ...asked, address: leasedAddress(asked.address, resource) }
    const set = this.#installation.set(leaseKind(request.address), resource.id)
    if (set === undefined) return this.#unreachable(resource, config)
    const present = this.#look(set, request, draft)
    switch (request.operation) {
      case 'open':
        return this.#open(request, resource, present, draft, config, nowMs)
      case 'extend':
        return present === undefined
          ? { kind: 'absent' }
          : this.#prolong(request, resource, present, draft, config, nowMs)
      case 'revoke':
        if (present !== undefined) this.remove(request, draft)
        return { kind: present === undefined ? 'absent' : 'revoked' }
      default:
        throw request.operation satisfies never
    }
  }

  /** Gives a lease that the kernel made by itself its owner, or takes it back. One that has an owner stays as it is. */
  annotate(told: LeaseRequest, draft: Draft, config: ServerConfig, nowMs: number): LeaseOutcome {
    const record = { ...told, address: leasedAddress(told.address, config.resources.get(told.resource) ?? {}) }
    const set = this.#installation.set(leaseKind(record.address), record.resource)
    const present = set && this.#look(set, record, draft)
    this.#twins.note(record, nowMs)
    if (present === undefined) return { kind: 'absent' }
    const entry = entryOf(present, record.resource, nowMs)
    const remainingMs = entry.endMs - nowMs
    if (ownerOf(present.comment).by !== 'kernel' || remainingMs < LEAST_LEASE_MS)
      return { kind: 'unchanged', remainingMs }
    const judged = judge(record, config)
    const refused = 'kind' in judged ? judged : this.#exceeded(judged.resource, record, draft, config, nowMs)
    if (refused !== undefined) {
      this.remove(record, draft)
      return refused
    }
    this.put(owned(entry, record, config), draft, nowMs)
    return { kind: 'opened', remainingMs }
  }

  /** Writes a lease down, with the end that it has, in place of what there is. */
  put(entry: Entry, draft: Draft, nowMs: number): void {
    const set = this.#installation.set(leaseKind(entry.address), entry.resource)
    if (set === undefined) return
    const leftMs = entry.endMs - nowMs
    const element: SetElement = {
      key: leaseKey(entry.address),
      timeoutMs: Math.max(entry.lengthMs, leftMs),
      ...(leftMs < entry.lengthMs ? { expiresMs: leftMs } : {}),
      ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    }
    draft.put(set, element)
    draft.note(entry, nowMs)
  }

  remove(of: Pick<Entry, 'resource' | 'address'>, draft: Draft): void {
    const set = this.#installation.set(leaseKind(of.address), of.resource)
    if (set !== undefined) draft.remove(set, leaseKey(of.address))
    this.#forgetCount(of, draft)
    draft.drop(of)
  }

  /** Jumps that are for all traffic last as long as the longest lease. */
  refreshLive(resources: Iterable<ResourceId>, draft: Draft, nowMs: number): void {
    for (const id of resources) {
      const set = this.#installation.set('live', id)
      if (set === undefined) continue
      const leftMs = Math.max(0, ...this.#book.ofResource(id, nowMs).map(({ endMs }) => endMs - nowMs))
      for (const key of liveKeys(FAMILIES[set.family]!)) {
        if (leftMs > 0) draft.put(set, { key, timeoutMs: Math.max(leftMs, LEAST_LEASE_MS) })
        else draft.remove(set, key)
      }
    }
  }

  #open(
    request: LeaseRequest,
    resource: Resource,
    present: SetElement | undefined,
    draft: Draft,
    config: ServerConfig,
    nowMs: number,
  ): LeaseOutcome {
    if (resource.connections > 0 && this.#twins.take(request, nowMs)) {
      const remainingMs = present === undefined ? 0 : entryOf(present, resource.id, nowMs).endMs - nowMs
      return { kind: 'unchanged', remainingMs }
    }
    // Each knock lets in as many connections anew.
    if (present !== undefined) {
      this.#forgetCount(request, draft)
      return this.#prolong(request, resource, present, draft, config, nowMs)
    }
    // Where the kernel used it up or somebody took it out, the book does not know yet.
    draft.drop(request)
    const refused = this.#exceeded(resource, request, draft, config, nowMs)
    if (refused !== undefined) return refused
    this.#forgetCount(request, draft)
    const lengthMs = lengthOf(request, resource, config)
    const { address } = request
    const entry = { resource: resource.id, address, lengthMs, endMs: nowMs + lengthMs }
    this.put(owned(entry, request, config), draft, nowMs)
    return { kind: 'opened', remainingMs: lengthMs }
  }

  #prolong(
    request: LeaseRequest,
    resource: Resource,
    present: SetElement,
    draft: Draft,
    config: ServerConfig,
    nowMs: number,
  ): LeaseOutcome {
    const entry = entryOf(present, resource.id, nowMs)
    const lengthMs = lengthOf(request, resource, config)
    const endMs = nowMs + lengthMs
    if (endMs <= entry.endMs) {
      draft.note(entry, nowMs)
      return { kind: 'unchanged', remainingMs: entry.endMs - nowMs }
    }
    this.put(owned({ ...entry, lengthMs, endMs }, request, config), draft, nowMs)
    return { kind: 'prolonged', remainingMs: lengthMs }
  }

  #forgetCount({ address, resource }: Pick<Entry, 'resource' | 'address'>, draft: Draft): void {
    const counts = this.#installation.set(connKind(address), resource)
    if (counts !== undefined) draft.remove(counts, leaseKey(address))
  }

  #look(set: SetRef, { address }: Pick<Entry, 'address'>, draft: Draft): SetElement | undefined {
    const key = leaseKey(address)
    const waiting = draft.look(set, key)
    return waiting === 'undecided' ? this.#kernel.get(set, key) : withEnd(waiting)
  }

  #exceeded(resource: Resource, { user }: LeaseRequest, draft: Draft, config: ServerConfig, nowMs: number) {
    return this.#limits.exceeded(resource, user, config, nowMs, (entry) => {
      const set = this.#installation.set(leaseKind(entry.address), entry.resource)
      if (set !== undefined && this.#look(set, entry, draft) !== undefined) return true
      draft.drop(entry)
      return false
    })
  }

  #unreachable(resource: Resource, config: ServerConfig): LeaseOutcome {
    const isOther = (['lease4', 'lease6'] as const).some(
      (kind) => this.#installation.set(kind, resource.id) !== undefined,
    )
    if (isOther)
      return {
        kind: 'refused',
        why: 'family',
        detail: `${config.firewall.chain?.family} ${config.firewall.chain?.table}`,
      }
    return { kind: 'refused', why: 'firewall', detail: this.#installation.whyMissing(resource, config) }
  }
}

function owned(entry: Entry, { user, resource, address }: LeaseRequest, { firewall }: ServerConfig): Entry {
  const { user: _, ...rest } = entry
  const comment = leaseComment(user, resource, address, firewall.mode === 'chain' ? 'host' : 'own')
  return user === undefined ? { ...rest, comment } : { ...rest, user, comment }
}

/** An element that waits in a draft says how long it will have. */
function withEnd(element: SetElement | undefined): SetElement | undefined {
  if (element === undefined || element.expiresMs !== undefined || element.timeoutMs === undefined) return element
  return { ...element, expiresMs: element.timeoutMs }
}
