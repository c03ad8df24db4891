/**
 * From what is in the kernel to what should be there, as nft text to put ahead of a table's own text, so that both are one
 * transaction; and which sets keep their elements over it. Pure.
 */
import { isShapeChain, parseSetName } from './names.js'
import type { TableText } from './ruleset.js'
import type { TableShape } from './types.js'

export interface Transition {
  readonly text: string
  /** Names of sets that stay as they are, with all that is in them. */
  readonly kept: ReadonlySet<string>
}

/** The declarations of sets that are in the kernel because we loaded them; undefined: nobody knows, nothing may stay. */
export type Known = ReadonlyMap<string, string> | undefined

/** Postern's own table: everything that is not in `next` goes, whoever put it there. */
export function ownTransition(present: TableShape | undefined, known: Known, next: TableText): Transition {
  if (present === undefined) return { text: '', kept: new Set() }
  const name = `${next.family} ${next.table}`
  if (known === undefined) return { text: `delete table ${name}\n`, kept: new Set() }
  const kept = keptSets(present.sets, known, next)
  const chains = present.chains.filter((chain) => !next.chains.has(chain))
  const sets = present.sets.filter((set) => !kept.has(set))
  const lines = [
    `flush table ${name}`,
    ...chains.map((chain) => `delete chain ${name} ${chain}`),
    ...sets.map((set) => `delete set ${name} ${set}`),
  ]
  return { text: `${lines.join('\n')}\n`, kept }
}

/** A rule of ours in an administrator's chain. */
export interface HostRule {
  readonly chain: string
  readonly handle: number
}

/** The administrator's table, of which `next` is our part (undefined: none any more): nothing but ours is touched. */
export function hostTransition(
  place: { family: string; table: string },
  present: TableShape | undefined,
  rules: readonly HostRule[],
  known: Known,
  next: TableText | undefined,
): Transition {
  if (present === undefined) return { text: '', kept: new Set() }
  const name = `${place.family} ${place.table}`
  const ours = present.sets.filter((set) => parseSetName(set, 'host') !== undefined)
  const kept = next === undefined || known === undefined ? new Set<string>() : keptSets(ours, known, next)
  const lines = [
    ...rules.map(({ chain, handle }) => `delete rule ${name} ${chain} handle ${handle}`),
    ...ours.filter((set) => !kept.has(set)).map((set) => `delete set ${name} ${set}`),
  ]
  return { text: lines.map((line) => `${line}\n`).join(''), kept }
}

/** Whether a table is as this text made it, as far as names and numbers tell. */
export function looksLike(present: TableShape, text: TableText): boolean {
  return (
    present.dormant !== true &&
    sameNames(present.chains, text.chains) &&
    sameNames(present.sets, text.sets.keys()) &&
    present.ruleHandles.length === text.rules
  )
}

/** Whether nobody touched a table between two looks. */
export function sameShape(a: TableShape, b: TableShape): boolean {
  return (
    a.handle === b.handle &&
    a.dormant === b.dormant &&
    sameNames(a.chains, b.chains) &&
    sameNames(a.sets, b.sets) &&
    a.ruleHandles.length === b.ruleHandles.length &&
    a.ruleHandles.every((handle, i) => handle === b.ruleHandles[i])
  )
}

/** Whether postern made it: nobody else's table of the same name is ever removed. */
export function isOurs(shape: TableShape): boolean {
  return shape.comment?.startsWith('postern ') === true || shape.chains.some(isShapeChain)
}

function keptSets(names: readonly string[], known: ReadonlyMap<string, string>, next: TableText): Set<string> {
  return new Set(names.filter((name) => known.has(name) && known.get(name) === next.sets.get(name)))
}

function sameNames(a: Iterable<string>, b: Iterable<string>): boolean {
  const [left, right] = [new Set(a), new Set(b)]
  return left.size === right.size && [...left].every((name) => right.has(name))
}
