/**
 * What leases were made, as far as we know: for limits, and to make them again where somebody else took them out of the
 * kernel. The kernel itself is the truth; it also makes and uses up leases without us.
 */
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export interface Entry {
  readonly resource: ResourceId
  readonly address: IpAddress
  /** undefined: the administrator, or the kernel itself. */
  readonly user?: UserId
  /** Whole length, ms. */
  readonly lengthMs: number
  /** Monotonic ms. */
  readonly endMs: number
  readonly comment?: string
}

export class LeaseBook {
  readonly #byResource = new Map<ResourceId, Map<IpAddress, Entry>>()
  readonly #byUser = new Map<UserId, Set<Entry>>()
  #size = 0
  #pruneAt = 256

  note(entry: Entry, nowMs: number): void {
    this.drop(entry.resource, entry.address)
    const leases = this.#byResource.get(entry.resource) ?? new Map<IpAddress, Entry>()
    this.#byResource.set(entry.resource, leases.set(entry.address, entry))
    if (entry.user !== undefined)
      this.#byUser.set(entry.user, (this.#byUser.get(entry.user) ?? new Set<Entry>()).add(entry))
    if (++this.#size < this.#pruneAt) return
    this.#prune(nowMs)
    this.#pruneAt = Math.max(256, 2 * this.#size)
  }

  drop(resource: ResourceId, address: IpAddress): void {
    const leases = this.#byResource.get(resource)
    const entry = leases?.get(address)
    if (leases === undefined || entry === undefined) return
    leases.delete(address)
    if (leases.size === 0) this.#byResource.delete(resource)
    if (entry.user !== undefined) {
      const owned = this.#byUser.get(entry.user)
      owned?.delete(entry)
      if (owned?.size === 0) this.#byUser.delete(entry.user)
    }
    this.#size--
  }

  get(resource: ResourceId, address: IpAddress): Entry | undefined {
    return this.#byResource.get(resource)?.get(address)
  }

  /** Live leases of a resource. */
  ofResource(resource: ResourceId, nowMs: number): Entry[] {
    return live(this.#byResource.get(resource)?.values(), nowMs)
  }

  /** Live leases of a user, of all resources. */
  ofUser(user: UserId, nowMs: number): Entry[] {
    return live(this.#byUser.get(user), nowMs)
  }

  all(nowMs: number): Entry[] {
    return [...this.#byResource.values()].flatMap((leases) => live(leases.values(), nowMs))
  }

  /** At most so many leases of it are live: ended ones that were not dropped yet count. */
  mostOfResource(resource: ResourceId): number {
    return this.#byResource.get(resource)?.size ?? 0
  }

  mostOfUser(user: UserId): number {
    return this.#byUser.get(user)?.size ?? 0
  }

  clear(): void {
    this.#byResource.clear()
    this.#byUser.clear()
    this.#size = 0
  }

  #prune(nowMs: number): void {
    for (const leases of [...this.#byResource.values()])
      for (const entry of [...leases.values()]) if (entry.endMs <= nowMs) this.drop(entry.resource, entry.address)
  }
}

function live(entries: Iterable<Entry> | undefined, nowMs: number): Entry[] {
  return entries === undefined ? [] : [...entries].filter((entry) => entry.endMs > nowMs)
}
