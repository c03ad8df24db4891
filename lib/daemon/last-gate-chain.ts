/**
 * What chain mode has in place of a kept gate: a record of where postern's leases are. The host's own ruleset shuts there, but
 * one that was saved with leases in it (`nft list ruleset`) brings them back to life at boot, ahead of a start that cannot work.
 */
import type { ServerConfig } from '../config/types.js'
import { parseSetName } from '../firewall/names.js'
import { FAMILY } from '../firewall/parts.js'
import type { Kernel } from '../firewall/types.js'

const RECORD = /^# chain mode: leases are in table (inet|ip|ip6) (\S+)$/m

/** The administrator's table. */
export interface HostTable {
  readonly family: keyof typeof FAMILY
  readonly table: string
}

/** The record as a text that nft takes too (and does nothing by); undefined in guard mode. */
export function hostRecord({ firewall: { mode, chain } }: Pick<ServerConfig, 'firewall'>): string | undefined {
  if (mode !== 'chain' || chain === undefined) return undefined
  return `# chain mode: leases are in table ${chain.family} ${chain.table}\n`
}

/** What a record says, or undefined where the text is none. */
export function parseHostRecord(text: string): HostTable | undefined {
  const [, family, table] = RECORD.exec(text) ?? []
  return table === undefined ? undefined : { family: family as HostTable['family'], table }
}

/** Takes all leases out of the administrator's table. False: it is not there. Throws FirewallError. */
export function emptyHost(kernel: Kernel, { family, table }: HostTable, { keep }: { keep: boolean }): boolean {
  const shape = kernel.shape(FAMILY[family], table)
  if (shape === undefined) return false
  const ours = keep ? [] : shape.sets.filter((set) => parseSetName(set, 'host') !== undefined)
  for (const set of ours) kernel.apply([{ kind: 'flush', set: { family: FAMILY[family], table, set } }])
  return true
}
