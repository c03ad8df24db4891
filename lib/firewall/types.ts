/**
 * The words that the rule manager, its callers and the kernel's side share. A lease is an element with a timeout of its
 * resource's set (docs/ARCHITECTURE.md, "Leases live in the kernel").
 */
import type { Operation } from '../gate/verdict.js'
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export interface Lease {
  readonly resource: ResourceId
  readonly address: IpAddress
  /** undefined where the kernel's element says nobody (opened by the kernel itself, its record not yet here). */
  readonly user?: UserId
  /** What the kernel says is left, ms. */
  readonly remainingMs: number
}

/** A request that passed gate, replay window and policy. */
export interface LeaseRequest {
  readonly operation: Operation
  /** undefined: the administrator himself (`posternd open`). */
  readonly user?: UserId
  readonly resource: ResourceId
  readonly address: IpAddress
  /** Length in ms; 0: the resource's own. */
  readonly lifetimeMs: number
}

export type LeaseOutcome =
  | { readonly kind: 'opened' | 'prolonged' | 'unchanged'; readonly remainingMs: number }
  | { readonly kind: 'revoked' | 'absent' }
  | {
      readonly kind: 'refused'
      readonly why: 'unknown-resource' | 'user' | 'resource-limit' | 'user-limit' | 'family' | 'firewall' | 'late'
      readonly detail?: string
    }

/** Which set of which table. `family` is the kernel's number: 1 inet, 2 ip, 10 ip6. */
export interface SetRef {
  readonly family: number
  readonly table: string
  readonly set: string
}

export interface SetElement {
  /** The key's bytes as the kernel keeps them (parts of a concatenation padded to 4 bytes each). */
  readonly key: Uint8Array
  /** Full length; undefined: the set's default. Never 0: an element without an end is a port open for ever. */
  readonly timeoutMs?: number
  /** What is left, if it is less than the full length. In a listing it is missing only where the element never ends. */
  readonly expiresMs?: number
  /** [A-Za-z0-9=_.:/ -]{0,100} only: others break `nft list` or its reload. */
  readonly comment?: string
}

export type Change =
  /**
   * Without `replace` an element that is there already may stay as it is (below kernel 6.12 it does), so that is for keys
   * that are new. With it, what was there is gone: done as add, delete and add in one transaction, without a gap.
   */
  | { readonly kind: 'add'; readonly to: SetRef; readonly elements: readonly SetElement[]; readonly replace?: true }
  /** Idempotent: an absent key is no error (done as add and delete in one transaction). */
  | { readonly kind: 'remove'; readonly from: SetRef; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'flush'; readonly set: SetRef }

/** What of a table is there, to see whether somebody else changed it: names and rule handles, in the kernel's order. */
export interface TableShape {
  readonly handle: bigint
  readonly comment?: string
  /** Its hooks are off (`flags dormant`): it is there and does nothing. */
  readonly dormant?: true
  readonly chains: readonly string[]
  readonly sets: readonly string[]
  readonly ruleHandles: readonly bigint[]
}

/** The kernel's nf_tables over one netlink socket. Everything throws FirewallError. */
export interface Kernel {
  /** One transaction: all or nothing. Bounded size; larger ones are the caller's to split (see maxBatchBytes). */
  apply(changes: readonly Change[]): void
  /** All live elements. Throws FirewallError('no-set') where the set is not there. */
  list(set: SetRef): SetElement[]
  /** One element, or undefined where there is none (or it has ended). */
  get(set: SetRef, key: Uint8Array): SetElement | undefined
  /** undefined where the table is not there. */
  shape(family: number, table: string): TableShape | undefined
  /** Base chains of all tables at a hook, with their policies: what the host does with closed ports. */
  baseChains(): {
    family: number
    table: string
    chain: string
    hook: number
    priority: number
    policy: 'accept' | 'drop'
  }[]
  deleteTable(family: number, table: string): void
}

export type FirewallErrorCode =
  | 'no-set'
  | 'no-table'
  | 'no-chain'
  | 'full'
  | 'permission'
  | 'busy'
  | 'nft'
  | 'kernel'
  | 'missing'

/** A firewall change that did not happen, or a thing that the kernel lacks. Nothing was half done. */
export class FirewallError extends Error {
  override readonly name = 'FirewallError'
  readonly code: FirewallErrorCode
  constructor(code: FirewallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
