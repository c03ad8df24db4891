/**
 * Chain mode: postern's sets and rules in the administrator's table. The table and its chains are his; they may be away, and
 * come back, at any time.
 */
import type { Resource, ServerConfig } from '../config/types.js'
import { isLetmeinComment, isRuleComment } from './comments.js'
import type { Nft, NftRule } from './nft.js'
import { FAMILY, type PartPlan, type Trust } from './parts.js'
import { hostTable, missingTarget } from './ruleset.js'
import type { Templates } from './templates.js'
import { type HostRule, hostTransition } from './transition.js'
import { FirewallError, type Kernel, type TableShape } from './types.js'

export interface HostPlan extends PartPlan {
  /** Comments of letmeinfwd's rules that go, for nothing else would ever end them: our part takes over its chains. */
  readonly leftovers: readonly string[]
}

const LEFTOVER_LINES = 20
const NOTHING: HostPlan = { table: undefined, text: '', kept: new Set(), leftovers: [] }

interface Loaded {
  readonly plan: HostPlan
  readonly shape: TableShape | undefined
  readonly rules: readonly bigint[]
}

export class HostPart {
  readonly #kernel: Kernel
  readonly #nft: Nft
  readonly #templates: Templates
  #loaded: Loaded | undefined

  constructor(kernel: Kernel, nft: Nft, templates: Templates) {
    this.#kernel = kernel
    this.#nft = nft
    this.#templates = templates
  }

  get plan(): HostPlan | undefined {
    return this.#loaded?.plan
  }

  get shape(): TableShape | undefined {
    return this.#loaded?.shape
  }

  /**
   * Throws FirewallError('no-table', 'no-chain') at the first time where the administrator's table or chains are not there;
   * later they are waited for.
   */
  planFor(config: ServerConfig, trust: Trust): HostPlan {
    const { chain, mode } = config.firewall
    if (chain === undefined) return NOTHING
    const present = this.#present(config)
    const table =
      present !== undefined && hasChains(config, present)
        ? hostTable(config, this.#templates, new Set(present.chains))
        : undefined
    if (mode === 'chain' && table === undefined && this.#loaded === undefined) throw missing(config, present)
    const loaded = this.#loaded
    if (trust === 'loaded' && table !== undefined && table.text === loaded?.plan.table?.text && this.isIntact(config))
      return { table, text: '', kept: new Set(table.sets.keys()), leftovers: [] }
    const isOne = present !== undefined && present.handle === loaded?.shape?.handle
    const known = trust === 'loaded' && isOne ? loaded?.plan.table?.sets : undefined
    const rules = this.#rules(config, present)
    const leftovers = table === undefined ? [] : rules.filter(({ comment }) => isLetmeinComment(comment))
    const { text, kept } = hostTransition(chain, present, [...rules.filter(isOurs), ...leftovers], known, table)
    return {
      table,
      text: text + (table?.text ?? ''),
      kept,
      leftovers: leftovers.map(({ chain: name, comment }) => `${name} "${comment}"`),
    }
  }

  remember(plan: HostPlan, config: ServerConfig): void {
    const shape = plan.table && this.#present(config)
    this.#loaded = { plan, shape, rules: this.#ours(config, shape).map(({ handle }) => BigInt(handle)) }
  }

  /** Whether our sets and rules are there, and the jumps that can be made are those that could be. */
  isIntact(config: ServerConfig): boolean {
    if (config.firewall.mode !== 'chain') return true
    const { plan, shape, rules } = this.#loaded ?? {}
    const present = this.#present(config)
    if (plan?.table === undefined || shape === undefined || rules === undefined)
      return present === undefined || !hasChains(config, present)
    if (present === undefined || present.handle !== shape.handle) return false
    const handles = new Set(present.ruleHandles)
    return (
      rules.length === plan.table.rules &&
      rules.every((rule) => handles.has(rule)) &&
      [...plan.table.sets.keys()].every((set) => present.sets.includes(set)) &&
      possibleJumps(config, present) === possibleJumps(config, shape)
    )
  }

  /** Why a resource has no sets here. */
  whyMissing(resource: Resource, config: ServerConfig): string {
    const present = this.#present(config)
    if (config.firewall.mode === 'chain' && (present === undefined || !hasChains(config, present)))
      return missing(config, present).message
    return missingTarget(resource, config, new Set(present?.chains)) ?? 'expected its sets in the kernel'
  }

  remove(config: ServerConfig): void {
    const { chain } = config.firewall
    const present = this.#present(config)
    if (chain !== undefined && present !== undefined) {
      const { text } = hostTransition(chain, present, this.#ours(config, present), undefined, undefined)
      if (text !== '') this.#nft.load(text)
    }
    this.#loaded = undefined
  }

  #present({ firewall: { chain } }: ServerConfig): TableShape | undefined {
    return chain && this.#kernel.shape(FAMILY[chain.family], chain.table)
  }

  #ours(config: ServerConfig, present: TableShape | undefined): HostRule[] {
    return this.#rules(config, present).filter(isOurs)
  }

  /** All rules in the administrator's chains that we are to be in. */
  #rules(config: ServerConfig, present: TableShape | undefined): (HostRule & NftRule)[] {
    const { chain } = config.firewall
    if (chain === undefined || present === undefined) return []
    return chainNames(config)
      .filter((name) => present.chains.includes(name))
      .flatMap((name) => this.#nft.rules(chain.family, chain.table, name).map((rule) => ({ ...rule, chain: name })))
  }
}

/** What an administrator should know of them; so many lines that they can be read. */
export function leftoverLines({ leftovers }: HostPlan): string[] {
  if (leftovers.length === 0) return []
  const more = leftovers.length - LEFTOVER_LINES
  return [
    ...leftovers.slice(0, LEFTOVER_LINES).map((rule) => `removed letmeinfwd's rule in chain ${rule}`),
    ...(more > 0 ? [`removed ${more} more rules of letmeinfwd's`] : []),
    "letmeinfwd's rules would never have ended by themselves: it must not run on the chains that posternd is told to use",
  ]
}

function isOurs({ comment }: NftRule): boolean {
  return isRuleComment(comment)
}

function chainNames({ firewall: { chain } }: ServerConfig): string[] {
  return [...new Set([chain?.input, chain?.forward, chain?.output])].filter((name) => name !== undefined)
}

function hasChains(config: ServerConfig, present: TableShape): boolean {
  return chainNames(config).every((name) => present.chains.includes(name))
}

/** Which resources can be had with the chains that are there. */
function possibleJumps(config: ServerConfig, { chains }: TableShape): string {
  const targets = new Set(chains)
  return [...config.resources.values()]
    .filter((resource) => missingTarget(resource, config, targets) === undefined)
    .map(({ id }) => id)
    .join()
}

function missing(config: ServerConfig, present: TableShape | undefined): FirewallError {
  const { chain } = config.firewall
  return new FirewallError(
    present === undefined ? 'no-table' : 'no-chain',
    `[NFTABLES] ${chain?.family} ${chain?.table}: expected this table with chain ${chainNames(config).join(', ')}: load the host's own ruleset first`,
  )
}
