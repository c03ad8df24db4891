/** What postern's own table and its part of an administrator's table have in common. */
import type { TableText } from './ruleset.js'
import type { SetRef } from './types.js'

/** The kernel's numbers of the families. */
export const FAMILY = { inet: 1, ip: 2, ip6: 10 } as const

/** How much of what is in the kernel may stay: what we loaded, what looks as if we had loaded it, or nothing. */
export type Trust = 'loaded' | 'look-alike' | 'nothing'

/** What one part has to load. */
export interface PartPlan {
  /** undefined: the part is not to be there, or cannot be. */
  readonly table: TableText | undefined
  readonly text: string
  /** Names of sets that keep their elements. */
  readonly kept: ReadonlySet<string>
}

/** A set by its name in a part; undefined where the part has none of that name. */
export function setIn({ table }: PartPlan, set: string): SetRef | undefined {
  return table?.sets.has(set) === true ? { family: FAMILY[table.family], table: table.table, set } : undefined
}

/** Whether the set stays as it is when the part is loaded. */
export function keeps({ table, kept }: PartPlan, set: SetRef): boolean {
  return table !== undefined && set.family === FAMILY[table.family] && set.table === table.table && kept.has(set.set)
}
