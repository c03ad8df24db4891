/**
 * The rule manager: gives, prolongs and takes back leases, which live in the kernel (docs/ARCHITECTURE.md), and keeps postern's
 * part of the host's firewall as it should be. Time is monotonic ms. Everything but perform and annotate throws FirewallError.
 */
import type { ServerConfig } from '../config/types.js'
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import { type Entry, LeaseBook } from './book.js'
import { closedWay } from './closed.js'
import { leaseComment } from './comments.js'
import { Draft } from './draft.js'
import { leftoverLines } from './host-part.js'
import { Installation, type Plan } from './installation.js'
import { type Found, KernelLeases } from './kernel-leases.js'
import { noteSource, type ShapedProtocol } from './known-sources.js'
import { LeaseDesk } from './lease-desk.js'
import { LetmeinLane } from './letmein-lane.js'
import type { Nft } from './nft.js'
import type { Trust } from './parts.js'
import { Performing } from './performing.js'
import { LEAST_LEASE_MS } from './policy.js'
import { leasedAddress, leasedText } from './prefix.js'
import { refusedBy } from './refused.js'
import { type Succession, settle } from './remake.js'
import { ownTable } from './ruleset.js'
import { readTemplates, type Templates } from './templates.js'
import { dropTokens } from './tokens.js'
import { trialText } from './trial.js'
import {
  FirewallError,
  type Kernel,
  type Lease,
  type LeaseOutcome,
  type LeaseRequest,
  type SetElement,
} from './types.js'

export interface Beginning {
  readonly keep: boolean
  /** Whether what gave a lease is no more what it was. */
  readonly isOutdated?: Succession['isOutdated']
  readonly first?: readonly Entry[]
}

export interface ManagerParts {
  readonly kernel: Kernel
  readonly nft: Nft
  readonly config: ServerConfig
  /** Monotonic ms. */
  now(): number
  /** What an administrator should know. */
  log(line: string): void
  /** The files of nftables/; where none are given they are read from their folder. */
  readonly templates?: Templates
}

/** So many elements in one transaction: a socket's send buffer is the bound. */
const ELEMENTS_AT_ONCE = 2000

export class RuleManager {
  readonly #parts: ManagerParts
  readonly #kernel: Kernel
  readonly #templates: Templates
  readonly #installation: Installation
  readonly #inKernel: KernelLeases
  readonly #book = new LeaseBook()
  readonly #desk: LeaseDesk
  readonly #performing: Performing
  readonly #lane: LetmeinLane
  #config: ServerConfig
  #restoredUnseen = false

  constructor(parts: ManagerParts) {
    this.#parts = parts
    this.#kernel = parts.kernel
    this.#config = parts.config
    this.#templates = parts.templates ?? readTemplates()
    this.#installation = new Installation(parts.kernel, parts.nft, this.#templates)
    this.#inKernel = new KernelLeases(parts.kernel, this.#installation)
    this.#desk = new LeaseDesk(parts.kernel, this.#installation, this.#book)
    this.#performing = new Performing({
      kernel: parts.kernel,
      book: this.#book,
      desk: this.#desk,
      now: parts.now,
      restore: () => this.#restore(),
    })
    this.#lane = new LetmeinLane(parts.kernel, this.#installation, parts.log)
  }

  /**
   * Brings postern's part into the kernel. `keep`: leases that are found are kept (a restart within one boot), and a table
   * that is as this configuration makes it is left running, tags and tokens too; else what is found is thrown away. `first`:
   * leases of the administrator's that are there as soon as the gate is.
   */
  start({ keep, isOutdated, first = [] }: Beginning): { leases: number; leftRunning: boolean } {
    const nowMs = this.#parts.now()
    const found = keep ? this.#inKernel.found(this.#config, nowMs) : []
    for (const { address, ...rest } of first) {
      const leased = leasedAddress(address, this.#config.resources.get(rest.resource) ?? {})
      const comment = leaseComment(undefined, rest.resource, leased, 'own')
      found.push({ entry: { ...rest, address: leased, comment }, counted: false })
    }
    const succession = { before: this.#config, after: this.#config, isOutdated }
    const plan = this.#install(succession, keep ? 'look-alike' : 'nothing', found, nowMs)
    this.#lane.fill(this.#config)
    return {
      leases: this.#book.all(nowMs).length,
      leftRunning: plan.own.kept.has('tags'),
    }
  }

  /** What became of each request, in their order; all in one transaction, or, where that fails, each in its own. */
  perform(requests: readonly LeaseRequest[]): LeaseOutcome[] {
    return this.#performing.each(requests, this.#config)
  }

  /** The same of requests that stand or fall together. */
  performTogether(requests: readonly LeaseRequest[]): LeaseOutcome[] {
    return this.#performing.together(requests, this.#config)
  }

  /**
   * The record of a lease that the kernel itself gave for a token: writes down whose it is, with the time it has left; or
   * takes it back where the policy says no.
   */
  annotate(resource: ResourceId, address: IpAddress, user: UserId): LeaseOutcome {
    const draft = new Draft(this.#book)
    try {
      const outcome = this.#desk.annotate(
        { operation: 'open', resource, address, user, lifetimeMs: 0 },
        draft,
        this.#config,
        this.#parts.now(),
      )
      draft.applyTo(this.#kernel)
      return outcome
    } catch (error) {
      draft.undo()
      return refusedBy(error)
    }
  }

  /** What the kernel has now. */
  leases(): Lease[] {
    const nowMs = this.#parts.now()
    const isLoaded = this.#installation.watched().length > 0
    const entries = isLoaded
      ? this.#inKernel.live(this.#config, nowMs)
      : this.#inKernel.found(this.#config, nowMs).map(({ entry }) => entry)
    return entries.map(({ resource, address, user, endMs }) => {
      const text = leasedText(address, this.#config.resources.get(resource) ?? {})
      const lease = { resource, address: text, remainingMs: endMs - nowMs }
      return user === undefined ? lease : { ...lease, user }
    })
  }

  /** Revokes every lease; unspent tokens go too, so that nothing opens by itself afterwards. */
  closeAll(): void {
    // Where somebody else took a part of ours away, all or nothing would be nothing.
    if (!this.#installation.isIntact(this.#config)) this.#restore()
    const sets = [...this.#config.resources.keys()].flatMap((id) =>
      (['lease4', 'lease6', 'live', 'inst'] as const).flatMap((kind) => this.#installation.set(kind, id) ?? []),
    )
    this.#kernel.apply(sets.map((set) => ({ kind: 'flush', set })))
    this.#book.clear()
  }

  /** The shut gate alone, as nft loads it where nothing of ours is; undefined in chain mode (the host's ruleset shuts) and on trial. */
  gateText(): string | undefined {
    if (this.#config.firewall.mode !== 'guard' || this.#config.firewall.trialEndsMs !== undefined) return undefined
    return ownTable(this.#config, this.#templates, closedWay(this.#config, this.#kernel)).text
  }

  /** Everything of postern's out of the kernel, and nothing else. */
  remove(): void {
    this.#installation.remove(this.#config)
    this.#book.clear()
  }

  /**
   * After somebody else's change, and now and then: whether everything is as it was loaded. `restored`: it was not, and is
   * again, with the leases that are still alive (where a set was lost, not those of `connections:`, whose count is lost too).
   * Tags may be gone then and have to be put in again; tokens never are.
   */
  verify(): 'intact' | 'restored' {
    if (!this.#installation.isIntact(this.#config)) this.#restore()
    else {
      const closed = this.#installation.followHost(this.#config)
      if (closed !== undefined) this.#parts.log(`the host's own firewall changed: shut now means ${closed}`)
      this.#lane.fill(this.#config)
    }
    const restored = this.#restoredUnseen
    this.#restoredUnseen = false
    return restored ? 'restored' : 'intact'
  }

  /**
   * A new configuration, in one transaction: leases, tags and tokens of what stays, stay; leases of users and resources that
   * are gone (or have another key) go. Throws FirewallError, and nothing was changed; mode, table and chains cannot change.
   */
  reload(config: ServerConfig): void {
    const nowMs = this.#parts.now()
    const before = this.#config
    const fixed = ({ firewall: { mode, table, chain } }: ServerConfig) => JSON.stringify([mode, table, chain])
    if (fixed(config) !== fixed(before))
      throw new FirewallError('busy', 'mode, table or chains: expected a restart for these to change')
    this.#install({ before, after: config }, 'loaded', this.#inKernel.found(before, nowMs), nowMs)
    this.#config = config
    this.#lane.fill(this.#config)
  }

  /** Leases end as if the machine had not slept for so long; unspent tokens go. (The kernel's timeouts stand still meanwhile.) */
  afterSuspend(sleptMs: number): void {
    const nowMs = this.#parts.now()
    const draft = new Draft(this.#book)
    for (const entry of this.#inKernel.live(this.#config, nowMs)) {
      const shorter = { ...entry, endMs: entry.endMs - sleptMs }
      if (shorter.endMs - nowMs < LEAST_LEASE_MS) this.#desk.remove(shorter, draft)
      else this.#desk.put(shorter, draft, nowMs)
    }
    this.#desk.refreshLive([...this.#config.resources.keys()], draft, nowMs)
    this.dropTokens()
    draft.applyTo(this.#kernel, ELEMENTS_AT_ONCE)
  }

  dropTokens(): void {
    dropTokens(this.#kernel, this.#config.firewall.table)
  }

  /** Each needs its timeout. Throws FirewallError('no-set') where nothing is heard. */
  installTags(elements: readonly SetElement[]): void {
    this.#add('tags', elements)
  }

  /** Never the same token twice: that is the caller's. Throws FirewallError('no-set') where the resource is not instant. */
  installTokens(resource: ResourceId, elements: readonly SetElement[]): void {
    this.#add(this.#installation.set('inst', resource)?.set, elements)
  }

  removeTags(keys: readonly Uint8Array[]): void {
    this.#removeKeys('tags', keys)
  }

  /** No error where the resource has no tokens. */
  removeTokens(resource: ResourceId, keys: readonly Uint8Array[]): void {
    this.#removeKeys(this.#installation.set('inst', resource)?.set, keys)
  }

  /** A source that got in: for a day it has room that strangers cannot take (of IPv6 its /64). False where it could not be put in. */
  noteSource(protocol: ShapedProtocol, address: IpAddress): boolean {
    return noteSource(this.#kernel, this.#installation, protocol, address)
  }

  /** Tables whose deletion by others means that `verify` has work. */
  watched(): { family: number; table: string; handle: bigint }[] {
    return this.#installation.watched()
  }

  #restore(): void {
    const nowMs = this.#parts.now()
    // How many connections a lease had let in is lost with its set: such a lease is not made again.
    const found = this.#book
      .all(nowMs)
      .map((entry) => ({ entry, counted: (this.#config.resources.get(entry.resource)?.connections ?? 0) > 0 }))
    this.#install({ before: this.#config, after: this.#config }, 'loaded', found, nowMs)
    this.#restoredUnseen = true
    this.#lane.refill(this.#config)
  }

  /** Loads what this configuration needs, in one transaction with the leases that may stay. */
  #install(succession: Succession, trust: Trust, found: readonly Found[], nowMs: number): Plan {
    const { before, after: config } = succession
    const plan = this.#installation.plan(config, trust)
    const { staying, text } = settle(found, plan, succession, nowMs)
    const more = this.#lane.reloadText(plan, before, config) + trialText(config, nowMs)
    this.#installation.load(plan, text + more, config)
    for (const line of leftoverLines(plan.host)) this.#parts.log(line)
    this.#book.clear()
    for (const entry of staying) this.#book.note(entry, nowMs)
    return plan
  }

  #add(set: string | undefined, elements: readonly SetElement[]): void {
    const to = set === undefined ? undefined : this.#installation.ownSet(set)
    if (to === undefined)
      throw new FirewallError('no-set', `${set ?? 'tokens'}: expected a set of that name in the kernel`)
    for (let i = 0; i < elements.length; i += ELEMENTS_AT_ONCE)
      this.#kernel.apply([{ kind: 'add', to, elements: elements.slice(i, i + ELEMENTS_AT_ONCE) }])
  }

  #removeKeys(set: string | undefined, keys: readonly Uint8Array[]): void {
    const from = set === undefined ? undefined : this.#installation.ownSet(set)
    if (from === undefined) return
    for (let i = 0; i < keys.length; i += ELEMENTS_AT_ONCE)
      this.#kernel.apply([{ kind: 'remove', from, keys: keys.slice(i, i + ELEMENTS_AT_ONCE) }])
  }
}
