/** A host's whole ruleset, as `nft -j -t list ruleset` tells it (libnftables-json(5)). Pure. */

/** One statement or expression of nft's, whatever it is. */
export type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

export interface Chain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly rules: Rule[]
  /** Of a base chain. */
  readonly base?: { readonly type: string; readonly hook: string; readonly priority: number; readonly drops: boolean }
}

export interface Rule {
  /** Its chain's name. */
  readonly chain: string
  readonly handle: number
  readonly statements: readonly Json[]
  readonly comment?: string
}

/** The chains with their rules, in the kernel's order. Throws SyntaxError where the text is no JSON. */
export function readListing(text: string): Chain[] {
  const entries = (JSON.parse(text) as { nftables?: readonly Record<string, Record<string, Json>>[] }).nftables ?? []
  const chains = new Map<string, Chain>()
  for (const { chain } of entries) {
    if (chain === undefined) continue
    const { family, table, name, type, hook, prio, policy } = chain
    chains.set(`${family} ${table} ${name}`, {
      family: String(family),
      table: String(table),
      name: String(name),
      rules: [],
      ...(hook !== undefined && {
        base: { type: String(type), hook: String(hook), priority: Number(prio), drops: policy === 'drop' },
      }),
    })
  }
  for (const { rule } of entries) {
    if (rule === undefined) continue
    const { family, table, chain, handle, expr, comment } = rule
    chains.get(`${family} ${table} ${chain}`)?.rules.push({
      chain: String(chain),
      handle: Number(handle),
      statements: Array.isArray(expr) ? expr : [],
      ...(typeof comment === 'string' && { comment }),
    })
  }
  return [...chains.values()]
}

/** A member of an object; undefined where it is none, or has no such member. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined
}
