/** How many leases there may be: for each resource and each user. */
import type { Resource, ServerConfig } from '../config/types.js'
import type { UserId } from '../wire/ids.js'
import type { Entry, LeaseBook } from './book.js'
import type { LeaseOutcome } from './types.js'

type Refused = Extract<LeaseOutcome, { kind: 'refused' }>

/** Whoever knocks on at a full limit makes the kernel be asked of each lease only so often. */
const COUNT_AGAIN_MS = 1000

export class Limits {
  readonly #book: LeaseBook
  readonly #fullAt = new Map<string, number>()

  constructor(book: LeaseBook) {
    this.#book = book
  }

  /**
   * Why no further lease can be given, or undefined where it can. The administrator (no user) has no limit of his own.
   * `isLive`: whether the kernel has a lease of the book's (or will have, with what waits).
   */
  exceeded(
    resource: Resource,
    user: UserId | undefined,
    config: ServerConfig,
    nowMs: number,
    isLive: (entry: Entry) => boolean,
  ): Refused | undefined {
    const { id, maxLeases } = resource
    const ofResource = () => this.#book.ofResource(id, nowMs)
    if (this.#book.mostOfResource(id) >= maxLeases && this.#isFull(`r${id}`, maxLeases, nowMs, ofResource, isLive))
      return { kind: 'refused', why: 'resource-limit', detail: `${maxLeases} leases` }
    if (user === undefined) return undefined
    const most = config.limits.leasesPerUser
    const ofUser = () => this.#book.ofUser(user, nowMs)
    if (this.#book.mostOfUser(user) >= most && this.#isFull(`u${user}`, most, nowMs, ofUser, isLive))
      return { kind: 'refused', why: 'user-limit', detail: `${most} leases` }
    return undefined
  }

  #isFull(
    what: string,
    limit: number,
    nowMs: number,
    entries: () => Entry[],
    isLive: (entry: Entry) => boolean,
  ): boolean {
    if (limit === 0) return false
    const listed = entries()
    if (listed.length < limit) return false
    const countedAt = this.#fullAt.get(what)
    if (countedAt !== undefined && nowMs - countedAt < COUNT_AGAIN_MS) return true
    const live = listed.filter(isLive).length
    if (live >= limit) this.#fullAt.set(what, nowMs)
    else this.#fullAt.delete(what)
    return live >= limit
  }
}
