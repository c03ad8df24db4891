/**
 * A knock at an instant resource is two datagrams: the kernel opens by the first, and the second, ordinary one follows for
 * where the first did not. Where a lease lets in only so many connections, the second must not give them once more: the
 * first may have been used up in between, and what is given again is a neighbour's behind the same address.
 */
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

/** The ordinary datagram comes right behind, or is overtaken by little. */
const APART_MS = 2000
/** Beyond so many the oldest are forgotten: work and memory stay bounded. */
const MOST = 10_000

interface Opened {
  readonly resource: ResourceId
  readonly address: IpAddress
  readonly user?: UserId
}

export class Twins {
  readonly #openedAt = new Map<string, number>()

  /** The kernel opened this by itself. */
  note(opened: Opened, nowMs: number): void {
    const name = nameOf(opened)
    this.#openedAt.delete(name)
    this.#openedAt.set(name, nowMs)
    for (const [old, atMs] of this.#openedAt) {
      if (this.#openedAt.size <= MOST && nowMs - atMs < APART_MS) break
      this.#openedAt.delete(old)
    }
  }

  /** Whether this request is the second half of a knock that the kernel opened by; told once. */
  take(request: Opened, nowMs: number): boolean {
    const name = nameOf(request)
    const atMs = this.#openedAt.get(name)
    this.#openedAt.delete(name)
    return atMs !== undefined && nowMs - atMs < APART_MS
  }
}

function nameOf({ resource, address, user }: Opened): string {
  return `${resource} ${address} ${user}`
}
