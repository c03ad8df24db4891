/**
 * Postern's tables, chains, sets and rules in the kernel, without what is in the sets: loads them, changes them, sees whether
 * somebody else did, takes them out again. The nft program loads; everything else goes over netlink.
 */
import type { Resource, ServerConfig } from '../config/types.js'
import type { ResourceId } from '../wire/ids.js'
import { HostPart, type HostPlan } from './host-part.js'
import { type SetKind, setName } from './names.js'
import type { Nft } from './nft.js'
import { OwnPart, type OwnPlan } from './own-part.js'
import { FAMILY, keeps, type PartPlan, setIn, type Trust } from './parts.js'
import type { Closed } from './ruleset.js'
import type { Templates } from './templates.js'
import type { Kernel, SetRef } from './types.js'

/** What to load, computed but not yet done. */
export interface Plan {
  readonly own: OwnPlan
  readonly host: HostPlan
}

export class Installation {
  readonly #kernel: Kernel
  readonly #nft: Nft
  readonly #own: OwnPart
  readonly #host: HostPart

  constructor(kernel: Kernel, nft: Nft, templates: Templates) {
    this.#kernel = kernel
    this.#nft = nft
    this.#own = new OwnPart(kernel, templates)
    this.#host = new HostPart(kernel, nft, templates)
  }

  plan(config: ServerConfig, trust: Trust): Plan {
    return { own: this.#own.planFor(config, trust), host: this.#host.planFor(config, trust) }
  }

  /**
   * Loads a plan with its elements in one transaction, which is all or nothing: `nft -c` first would only add to the time
   * without a gate, and for a thousand resources takes four times as long as loading them.
   */
  load(plan: Plan, elements: string, config: ServerConfig): void {
    this.#nft.load(plan.own.text + plan.host.text + elements)
    this.#own.remember(plan.own)
    this.#host.remember(plan.host, config)
  }

  /** Whether everything is as it was loaded, and nothing could be loaded that could not be then. */
  isIntact(config: ServerConfig): boolean {
    return this.#own.isIntact(config) && this.#host.isIntact(config)
  }

  /** Loads how shut looks again where the host's own firewall has changed, and says how; undefined: it has not. */
  followHost(config: ServerConfig): Closed | undefined {
    const plan = this.#own.followHost(config)
    if (plan === undefined) return undefined
    this.#nft.load(plan.text)
    this.#own.remember(plan)
    return plan.closed
  }

  /** A set of a resource's, or undefined where this configuration has none. */
  set(kind: SetKind, resource: ResourceId): SetRef | undefined {
    const [own, host] = [this.#own.plan, this.#host.plan]
    return own && host && setOf({ own, host }, kind, resource)
  }

  ownSet(set: string): SetRef | undefined {
    return this.#own.plan && setIn(this.#own.plan, set)
  }

  /** Why a resource has no sets in the kernel. */
  whyMissing(resource: Resource, config: ServerConfig): string {
    return this.#host.whyMissing(resource, config)
  }

  /** All sets that are in the kernel where ours would be, wherever an earlier run put them. */
  present({ firewall: { table, chain } }: ServerConfig): { where: 'own' | 'host'; sets: SetRef[] }[] {
    const at = (where: 'own' | 'host', family: number, name: string) => ({
      where,
      sets: (this.#kernel.shape(family, name)?.sets ?? []).map((set) => ({ family, table: name, set })),
    })
    const own = at('own', FAMILY.inet, table)
    return chain === undefined ? [own] : [own, at('host', FAMILY[chain.family], chain.table)]
  }

  /** Tables whose loss is ours. */
  watched(): { family: number; table: string; handle: bigint }[] {
    return [this.#own, this.#host].flatMap(({ plan, shape }) =>
      plan?.table === undefined || shape === undefined
        ? []
        : [{ family: FAMILY[plan.table.family], table: plan.table.table, handle: shape.handle }],
    )
  }

  /** Everything of ours out of the kernel, and nothing else. */
  remove(config: ServerConfig): void {
    this.#host.remove(config)
    this.#own.remove(config)
  }
}

/** The set of a resource in a plan. */
export function setOf(
  { own, host }: { own: PartPlan; host: PartPlan },
  kind: SetKind,
  resource: ResourceId,
): SetRef | undefined {
  return setIn(own, setName(kind, resource, 'own')) ?? setIn(host, setName(kind, resource, 'host'))
}

/** Whether a set keeps its elements when the plan is loaded. */
export function isKept({ own, host }: Plan, set: SetRef): boolean {
  return keeps(own, set) || keeps(host, set)
}
