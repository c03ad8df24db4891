/**
 * What time moves forward: at each slot's turn the horizon is written ahead, then the slot's tags and one-time tokens go into
 * the kernel, then the listener may accept further. Nothing above the written horizon is ever installed or accepted, so
 * after any crash it is known what an earlier run could have done (docs/ARCHITECTURE.md, "The replay window").
 */
import type { ServerConfig } from '../config/types.js'
import type { SetElement } from '../firewall/types.js'
import type { Horizon } from '../replay/horizon.js'
import { type DueSlot, horizonFor, tagSlots, tokenSlots } from '../slots/schedule.js'
import { tagElements } from '../slots/tags.js'
import { type TokenElement, type TokenUser, tokenElements } from '../slots/tokens.js'
import type { ResourceId } from '../wire/ids.js'
import { SLOT_MS, slotOf } from '../wire/spa-keys.js'
import { aheadMs } from './past.js'
import { RecentSlots } from './recent-slots.js'
import type { UserKeys } from './user-keys.js'

/** The widest window has 21 slots, and 5 more are in the kernel until their time is over; so much twice, for a clock that was set. */
const MOST_TAG_SLOTS = 64
const MOST_TOKEN_SLOTS = 16

/** The rule manager's side of it. Throws FirewallError. */
export interface SlotSets {
  installTags(elements: readonly SetElement[]): void
  installTokens(resource: ResourceId, elements: readonly SetElement[]): void
  removeTags(keys: readonly Uint8Array[]): void
  removeTokens(resource: ResourceId, keys: readonly Uint8Array[]): void
}

export interface RollerParts {
  /** Durable when `advance` returns; throws ReplayError where it is not. */
  readonly horizon: Horizon
  readonly sets: SlotSets
  /** Gives other work its turn between two chunks of about a millisecond. */
  breathe(): Promise<void>
  /** The machine goes to sleep: no token may go in. */
  holdsTokens(): boolean
  /** The horizon on disk has moved: the listener may accept up to it. */
  onHorizon(horizonMs: number): void
}

export class Roller {
  readonly #parts: RollerParts
  #windowMs: number
  #aheadMs: number
  #users: readonly UserKeys[]
  #tokenUsers: readonly TokenUser[]
  readonly #tagSlots = new RecentSlots(MOST_TAG_SLOTS)
  readonly #tokenSlots = new RecentSlots(MOST_TOKEN_SLOTS)
  #tagsUpTo = -1
  #running = false
  /** Another one: what a roll that is under way has put in is not to be relied on. */
  #epoch = 0

  constructor(parts: RollerParts, config: ServerConfig, users: readonly UserKeys[]) {
    this.#parts = parts
    this.#windowMs = config.spa.windowMs
    this.#aheadMs = aheadMs(config)
    this.#users = users
    this.#tokenUsers = tokenUsersOf(config, users)
  }

  /** Brings disk, kernel and listener to this time. One at a time; a call while another works is nothing. */
  async roll(nowMs: number): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      let epoch: number
      do {
        epoch = this.#epoch
        this.#writeAhead(nowMs)
        await this.#roll(nowMs, epoch)
      } while (epoch !== this.#epoch)
    } finally {
      this.#running = false
    }
  }

  /** The kernel's sets were made anew: tags are put back with the next roll; no token is ever put in twice. */
  setsWereLost(): void {
    this.#epoch++
    this.#tagsUpTo = -1
  }

  /** The kernel's token sets were emptied: a roll that is under way puts none of its own in any more. */
  tokensWereLost(): void {
    this.#epoch++
  }

  /** Takes away what users of the old configuration have in the kernel and those of the new one have not. */
  replaceUsers(config: ServerConfig, users: readonly UserKeys[], nowMs: number): void {
    const tokenUsers = tokenUsersOf(config, users)
    const keptTags = new Set(users.map((user) => hex(user.tag)))
    const goneTags = this.#users.filter((user) => !keptTags.has(hex(user.tag)))
    for (const chunk of tagElements(goneTags, this.#installedTagSlots(nowMs)))
      this.#parts.sets.removeTags(chunk.map((element) => element.key))
    // Tokens that are in already live to the end of the slot behind their own: whose time is over before that keeps none.
    const endMs = (this.#parts.horizon.tokensSlot + 2) * SLOT_MS
    const keptPairs = new Set(tokenUsers.filter(({ untilMs = endMs }) => untilMs >= endMs).flatMap(pairsOf))
    const goneTokens = this.#tokenUsers.map((user) => ({
      ...user,
      resources: user.resources.filter((resource) => !keptPairs.has(pairOf(user, resource))),
    }))
    for (const chunk of tokenElements(goneTokens, this.#installedTokenSlots(nowMs)))
      for (const [resource, elements] of byResource(chunk))
        this.#parts.sets.removeTokens(
          resource,
          elements.map((element) => element.key),
        )
    this.#users = users
    this.#tokenUsers = tokenUsers
    this.#windowMs = config.spa.windowMs
    this.#aheadMs = aheadMs(config)
    this.setsWereLost()
  }

  #writeAhead(nowMs: number): void {
    const { horizon } = this.#parts
    const needed = horizonFor(nowMs, this.#aheadMs)
    if (needed <= horizon.horizonMs) return
    horizon.advance(needed, horizon.tokensSlot)
    this.#parts.onHorizon(horizon.horizonMs)
  }

  async #roll(nowMs: number, epoch: number): Promise<void> {
    const { horizon, sets, breathe } = this.#parts
    const moment = { nowMs, windowMs: this.#windowMs, horizonMs: horizon.horizonMs }
    const dueTags = tagSlots({ ...moment, installedUpTo: this.#tagsUpTo })
    this.#tagSlots.add(dueTags)
    for (const chunk of tagElements(this.#users, dueTags)) {
      sets.installTags(chunk)
      await breathe()
      if (this.#epoch !== epoch) return
    }
    this.#tagsUpTo = Math.max(this.#tagsUpTo, dueTags.at(-1)?.slot ?? -1)

    if (this.#tokenUsers.length === 0 || this.#parts.holdsTokens()) return
    // A slot that has begun without its tokens (a start, a stop of ours, the first instant resource of a reload): what was
    // sent in it may be in somebody's hands unused, so its tokens stay out.
    const installedUpTo = Math.max(horizon.tokensSlot, slotOf(nowMs))
    const dueTokens = tokenSlots({ ...moment, installedUpTo })
    if (dueTokens.length === 0) return
    // Written first: a slot that was begun is never begun again, however far it came.
    horizon.advance(horizon.horizonMs, dueTokens.at(-1)!.slot)
    this.#tokenSlots.add(dueTokens)
    for (const chunk of tokenElements(this.#tokenUsers, dueTokens)) {
      for (const [resource, elements] of byResource(chunk)) sets.installTokens(resource, elements)
      await breathe()
      if (this.#epoch !== epoch) return
    }
  }

  #installedTagSlots(nowMs: number): DueSlot[] {
    return this.#tagSlots.with(slotOf(nowMs - this.#windowMs) - 1, this.#tagsUpTo)
  }

  #installedTokenSlots(nowMs: number): DueSlot[] {
    return this.#tokenSlots.with(slotOf(nowMs) - 2, this.#parts.horizon.tokensSlot)
  }
}

function tokenUsersOf(config: ServerConfig, users: readonly UserKeys[]): TokenUser[] {
  const instant = [...config.resources.values()].filter((resource) => resource.instant)
  return users.flatMap(({ id, instant: key, tokensUntilMs: untilMs }) => {
    const resources = instant.filter((resource) => resource.users === undefined || resource.users.includes(id))
    return key === undefined || resources.length === 0
      ? []
      : [{ id, instant: key, resources: resources.map((r) => r.id), ...(untilMs !== undefined && { untilMs }) }]
  })
}

function byResource(chunk: readonly TokenElement[]): Map<ResourceId, TokenElement[]> {
  const groups = new Map<ResourceId, TokenElement[]>()
  for (const element of chunk) {
    const group = groups.get(element.resource)
    if (group === undefined) groups.set(element.resource, [element])
    else group.push(element)
  }
  return groups
}

function pairsOf(user: TokenUser): string[] {
  return user.resources.map((resource) => pairOf(user, resource))
}

function pairOf(user: TokenUser, resource: ResourceId): string {
  return `${hex(user.instant)}/${resource}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
