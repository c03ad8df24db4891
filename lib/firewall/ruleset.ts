/**
 * From the configuration to the text that nft loads. Guard mode is all in postern's own table; chain mode has only the
 * hearing there, and sets and rules in the administrator's. Pure.
 */
import { createHash } from 'node:crypto'
import type { Resource, ServerConfig } from '../config/types.js'
import { fwknopWords, hearsFwknop } from './fwknop-words.js'
import { controlWords, hearsLetmein, letmeinWords } from './letmein-words.js'
import { shapeChain } from './names.js'
import { fill } from './template.js'
import type { Templates } from './templates.js'
import { baseWords, chainWords, closedWords, guardWords, resourceWords } from './words.js'

/** How shut looks. */
export type Closed = 'drop' | 'reject'

/** One table's part of the ruleset: its text, and what is in it by name. */
export interface TableText {
  readonly family: 'inet' | 'ip' | 'ip6'
  readonly table: string
  readonly text: string
  /** Each set's name and the line that declares it. */
  readonly sets: ReadonlyMap<string, string>
  /** The chains that the text makes (in the administrator's table: none). */
  readonly chains: ReadonlySet<string>
  readonly rules: number
}

/** Postern's own table: in guard mode everything, in chain mode the hearing. */
export function ownTable(config: ServerConfig, templates: Templates, closed: Closed): TableText {
  const { mode, table } = config.firewall
  const head = fill(templates.base, baseWords(config))
  let body = hearsLetmein(config) ? fill(templates.letmein, letmeinWords(config)) : ''
  if (hearsFwknop(config)) body += fill(templates.fwknop, fwknopWords(config))
  if (mode === 'guard') {
    const guarded = [...config.resources.values()].filter(({ target }) => target.kind === 'ports')
    for (const resource of guarded) body += fill(templates.resource, resourceWords(resource, config))
    body += fill(templates.guard, guardWords(config, guarded))
  }
  const shut = mode === 'guard' ? closedText(config, templates, closed) : ''
  // How shut looks is no part of the fingerprint: it changes with the host's own firewall, and is loaded again by itself.
  const fingerprint = createHash('sha256').update(head).update(body).digest('hex').slice(0, 16)
  const mark = `table inet ${table} {\n\tchain ${shapeChain(fingerprint)} {\n\t}\n}\n`
  return outline('inet', table, head + shut + body + mark)
}

/** How shut looks, as a text that can be loaded alone. */
export function closedText(config: ServerConfig, templates: Templates, closed: Closed): string {
  return fill(templates.closed, closedWords(config, closed))
}

/**
 * Chain mode: what is ours in the administrator's table. `targets`: the chains that are there; a jump to one that is not
 * would make nft refuse the whole, so its resource is left out (missingTarget says it).
 */
export function hostTable(
  config: ServerConfig,
  templates: Templates,
  targets: ReadonlySet<string>,
): TableText | undefined {
  const { mode, chain } = config.firewall
  if (mode !== 'chain' || chain === undefined) return undefined
  const text = [...config.resources.values()]
    .filter((resource) => missingTarget(resource, config, targets) === undefined)
    .map((resource) => fill(templates.chain, chainWords(resource, config)))
    .join('')
  return outline(chain.family, chain.table, text + fill(templates.control, controlWords(config)))
}

/** What a jump resource lacks, in words; undefined: nothing. */
export function missingTarget(
  resource: Resource,
  config: ServerConfig,
  targets: ReadonlySet<string>,
): string | undefined {
  if (resource.target.kind === 'ports') return undefined
  const { chain, mode } = config.firewall
  if (mode !== 'chain' || chain === undefined) return 'a jump: expected mode = chain'
  for (const { hook, chain: target } of resource.target.jumps) {
    if (chain[hook] === undefined) return `a jump: expected chain-${hook} in [NFTABLES]`
    if (!targets.has(target)) return `chain ${target}: expected it in table ${chain.family} ${chain.table}`
  }
  return undefined
}

/** The names in a filled-in text, in which each set, chain and rule has a line of its own. */
function outline(family: TableText['family'], table: string, text: string): TableText {
  const sets = new Map<string, string>()
  const chains = new Set<string>()
  let rules = 0
  let inChain = false
  for (const line of text.split('\n')) {
    const [, kind, name] = /^\t(set|chain) (\S+) \{/.exec(line) ?? []
    if (kind === 'set') sets.set(name!, line.trim())
    else if (kind === 'chain') {
      chains.add(name!)
      inChain = true
    } else if (line === '\t}') inChain = false
    else if ((inChain && !line.startsWith('\t\ttype ')) || line.startsWith('insert rule ')) rules++
  }
  return { family, table, text, sets, chains, rules }
}
