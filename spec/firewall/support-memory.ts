/** A kernel in memory with a clock that is set by hand, and an nft that understands what postern's rulesets consist of. */

import type { Nft } from '../../lib/firewall/nft.js'
import {
  type Change,
  FirewallError,
  type Kernel,
  type SetElement,
  type SetRef,
  type TableShape,
} from '../../lib/firewall/types.js'

interface Table {
  readonly handle: bigint
  comment?: string
  readonly chains: Map<string, bigint[]>
  readonly sets: Map<string, Map<string, { element: SetElement; endMs: number }>>
}

export class MemoryKernel implements Kernel {
  nowMs = 1_000_000
  /** How often something was applied. */
  transactions = 0
  /** Keys (hex) that the kernel refuses. */
  readonly refused = new Set<string>()
  readonly nft: Nft = { check: () => {}, load: (text) => this.#load(text), rules: () => [] }
  readonly #tables = new Map<string, Table>()
  #lastHandle = 0n

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#set(change.kind === 'add' ? change.to : change.kind === 'remove' ? change.from : change.set)
      if (change.kind === 'add' && change.elements.some(({ key }) => this.refused.has(hex(key))))
        throw new FirewallError('full', 'set: full')
    }
    if (changes.length > 0) this.transactions++
    for (const change of changes) {
      if (change.kind === 'flush') this.#set(change.set).clear()
      else if (change.kind === 'remove') for (const key of change.keys) this.#set(change.from).delete(hex(key))
      else for (const element of change.elements) this.#put(change.to, element)
    }
  }

  list(set: SetRef): SetElement[] {
    return [...this.#set(set).values()].flatMap(({ element, endMs }) =>
      endMs <= this.nowMs ? [] : [{ ...element, expiresMs: endMs - this.nowMs }],
    )
  }

  get(set: SetRef, key: Uint8Array): SetElement | undefined {
    return this.list(set).find((element) => hex(element.key) === hex(key))
  }

  shape(_family: number, name: string): TableShape | undefined {
    const table = this.#tables.get(name)
    return (
      table && {
        handle: table.handle,
        ...(table.comment === undefined ? {} : { comment: table.comment }),
        chains: [...table.chains.keys()],
        sets: [...table.sets.keys()],
        ruleHandles: [...table.chains.values()].flat(),
      }
    )
  }

  baseChains() {
    return []
  }

  deleteTable(_family: number, table: string): void {
    this.#tables.delete(table)
  }

  #put(ref: SetRef, element: SetElement): void {
    const leftMs = element.expiresMs ?? element.timeoutMs ?? 60_000
    this.#set(ref).set(hex(element.key), { element, endMs: this.nowMs + leftMs })
  }

  #set({ table, set }: Pick<SetRef, 'table' | 'set'>): Map<string, { element: SetElement; endMs: number }> {
    const found = this.#tables.get(table)
    if (found === undefined) throw new FirewallError('no-table', table)
    const elements = found.sets.get(set)
    if (elements === undefined) throw new FirewallError('no-set', set)
    return elements
  }

  #load(text: string): void {
    let table: Table | undefined
    let chain: bigint[] | undefined
    for (const line of text.split('\n')) {
      const [verb, what, , name = '', item = ''] = line.split(' ')
      const [, opened] = /^table inet (\S+) \{/.exec(line) ?? []
      if (opened !== undefined) {
        table = this.#tables.get(opened) ?? { handle: ++this.#lastHandle, chains: new Map(), sets: new Map() }
        this.#tables.set(opened, table)
      } else if (verb === 'delete' && what === 'table') this.#tables.delete(name)
      else if (verb === 'flush' && what === 'table')
        for (const rules of this.#tables.get(name)!.chains.values()) rules.length = 0
      else if (verb === 'delete' && what === 'chain') this.#tables.get(name)!.chains.delete(item)
      else if (verb === 'delete' && what === 'set') this.#tables.get(name)!.sets.delete(item)
      else if (verb === 'flush' && what === 'set') this.#set({ table: name, set: item }).clear()
      else if (verb === 'flush' && what === 'chain') this.#tables.get(name)!.chains.get(item)!.length = 0
      else if (verb === 'add' || (verb === 'delete' && what === 'element')) this.#element(verb, name, item, line)
      else if (table !== undefined) chain = this.#inside(table, chain, line)
    }
  }

  #inside(table: Table, chain: bigint[] | undefined, line: string): bigint[] | undefined {
    const [, kind, name = ''] = /^\t(set|chain) (\S+) \{/.exec(line) ?? []
    if (kind === 'set' && !table.sets.has(name)) table.sets.set(name, new Map())
    if (kind === 'chain') {
      const rules = table.chains.get(name) ?? []
      table.chains.set(name, rules)
      return rules
    }
    if (line.startsWith('\tcomment ')) table.comment = line.slice('\tcomment "'.length, -1)
    if (line === '\t}') return undefined
    if (chain !== undefined && !line.startsWith('\t\ttype ')) chain.push(++this.#lastHandle)
    return chain
  }

  /** Only IPv4 addresses with whole seconds and milliseconds. */
  #element(verb: string, table: string, set: string, line: string): void {
    const inside = /\{ (.*) \}/.exec(line)![1]!
    for (const text of inside.split(', ')) {
      const key = Uint8Array.from(text.split(' ')[0]!.split('.'), Number)
      if (verb === 'delete') this.#set({ table, set }).delete(hex(key))
      else {
        const comment = /comment "(.*)"/.exec(text)?.[1]
        const timeoutMs = msOf(/timeout (\S+)/.exec(text)?.[1])
        const expiresMs = msOf(/expires (\S+)/.exec(text)?.[1])
        this.#put(
          { family: 1, table, set },
          { key, ...(timeoutMs && { timeoutMs }), ...(expiresMs && { expiresMs }), ...(comment && { comment }) },
        )
      }
    }
  }
}

function msOf(text: string | undefined): number | undefined {
  const units: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  return (
    (text &&
      [...text.matchAll(/(\d+)([a-z]+)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)) ||
    undefined
  )
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
