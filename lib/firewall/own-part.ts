/** Postern's own table: what has to be loaded for it, and whether somebody else changed it. */
import type { ServerConfig } from '../config/types.js'
import { closedWay } from './closed.js'
import { FAMILY, type PartPlan, type Trust } from './parts.js'
import { type Closed, closedText, ownTable, type TableText } from './ruleset.js'
import type { Templates } from './templates.js'
import { isOurs, looksLike, ownTransition, sameShape } from './transition.js'
import { FirewallError, type Kernel, type TableShape } from './types.js'

export interface OwnPlan extends PartPlan {
  readonly table: TableText
  readonly closed: Closed
}

export class OwnPart {
  readonly #kernel: Kernel
  readonly #templates: Templates
  #loaded: { readonly plan: OwnPlan; readonly shape: TableShape | undefined } | undefined

  constructor(kernel: Kernel, templates: Templates) {
    this.#kernel = kernel
    this.#templates = templates
  }

  get plan(): OwnPlan | undefined {
    return this.#loaded?.plan
  }

  /** The table as it was after it was loaded; undefined where it was changed before that could be looked at. */
  get shape(): TableShape | undefined {
    return this.#loaded?.shape
  }

  /** Throws FirewallError('busy') where a table of the same name is not ours. */
  planFor(config: ServerConfig, trust: Trust): OwnPlan {
    const closed = this.#closedFor(config)
    const table = ownTable(config, this.#templates, closed)
    const present = this.#present(config)
    const isOne = present !== undefined && present.handle === this.#loaded?.shape?.handle
    if (present !== undefined && !isOne && !isOurs(present))
      throw new FirewallError(
        'busy',
        `table inet ${table.table}: expected none, or postern's own: name another in [FIREWALL] table`,
      )
    // A table that runs as it should is left running; only how shut looks may have changed.
    if (present !== undefined && this.#runs(present, table, config, trust))
      return { table, closed, text: this.#closedAgain(config, closed), kept: new Set(table.sets.keys()) }
    const known = trust === 'loaded' && isOne ? this.#loaded?.plan.table.sets : undefined
    const { text, kept } = ownTransition(present, known, table)
    return { table, closed, text: text + table.text, kept }
  }

  remember(plan: OwnPlan): void {
    const shape = this.#kernel.shape(FAMILY.inet, plan.table.table)
    // Where somebody was quicker than this look, the next one finds it changed.
    this.#loaded = { plan, shape: shape !== undefined && looksLike(shape, plan.table) ? shape : undefined }
  }

  isIntact(config: ServerConfig): boolean {
    const present = this.#present(config)
    return present !== undefined && this.shape !== undefined && sameShape(present, this.shape)
  }

  /** What to load where the host's own firewall has changed how its shut ports look. */
  followHost(config: ServerConfig): OwnPlan | undefined {
    const closed = this.#closedFor(config)
    if (this.#loaded === undefined || closed === this.#loaded.plan.closed) return undefined
    const table = ownTable(config, this.#templates, closed)
    return { table, closed, text: this.#closedAgain(config, closed), kept: new Set(table.sets.keys()) }
  }

  remove(config: ServerConfig): void {
    const present = this.#present(config)
    if (present !== undefined && isOurs(present)) this.#kernel.deleteTable(FAMILY.inet, config.firewall.table)
    this.#loaded = undefined
  }

  #present({ firewall }: ServerConfig): TableShape | undefined {
    return this.#kernel.shape(FAMILY.inet, firewall.table)
  }

  /** Whether what is there is what this configuration needs, whichever way shut looks in it. */
  #runs(present: TableShape, table: TableText, config: ServerConfig, trust: Trust): boolean {
    if (trust === 'nothing') return false
    if (trust === 'loaded' && !this.isIntact(config)) return false
    return [table, ownTable(config, this.#templates, 'drop'), ownTable(config, this.#templates, 'reject')].some((one) =>
      looksLike(present, one),
    )
  }

  #closedFor(config: ServerConfig): Closed {
    return config.firewall.mode === 'guard' ? closedWay(config, this.#kernel) : 'drop'
  }

  #closedAgain(config: ServerConfig, closed: Closed): string {
    if (config.firewall.mode !== 'guard') return ''
    return `flush chain inet ${config.firewall.table} closed\n${closedText(config, this.#templates, closed)}`
  }
}
