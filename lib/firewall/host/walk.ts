/**
 * What a host's own ruleset does with a packet to a port, as far as it can be told without its elements, interfaces and counters: for
 * `posternd doctor`. Where it depends on what is not known, it says so, and nothing is claimed. Pure.
 */
import { type Chain, type Json, member, type Rule } from './listing.js'
import { type Answer, elementOf, matches, type Probe } from './matches.js'

export interface Fate {
  /** `unsure`: it depends on what is not known. */
  readonly verdict: 'accept' | 'drop' | 'unsure'
  readonly chain: Chain
  /** None: the chain's policy, or nothing certain. */
  readonly rule?: Rule
}

type Verdict = 'accept' | 'drop'
/** What a chain comes to: a verdict that is certain, or `next`; and those that it might have come to before. */
interface Course {
  readonly end: Verdict | 'next' | 'unsure'
  readonly rule?: Rule
  readonly maybe: ReadonlySet<Verdict>
}

const DEEPEST = 16

/** Of one base chain. */
export function fateIn(base: Chain, chains: readonly Chain[], probe: Probe): Fate {
  const { end, rule, maybe } = course(base, chains, probe, 0)
  const verdict = end === 'next' ? (base.base?.drops ? 'drop' : 'accept') : end
  const isCertain = verdict !== 'unsure' && [...maybe].every((one) => one === verdict)
  if (!isCertain) return { verdict: 'unsure', chain: base }
  return { verdict, chain: base, ...(rule !== undefined && end !== 'next' && { rule }) }
}

/** Whether some rule that is met for certain takes the packet out of connection tracking; the rule. */
export function untracking(base: Chain, chains: readonly Chain[], probe: Probe): Rule | undefined {
  return base.rules.find(({ statements }) => {
    const met = conditionOf(statements, probe)
    if (met !== true) return false
    if (statements.some((one) => isStatement(one, 'notrack'))) return true
    const to = statements.map(targetOf).find((target) => target !== undefined)
    const next = to?.kind === 'chain' ? chainNamed(to.name, base, chains) : undefined
    return next?.rules.some(
      (rule) =>
        conditionOf(rule.statements, probe) === true && rule.statements.some((one) => isStatement(one, 'notrack')),
    )
  })
}

/** Whether a rule sends this port on to another host or container, by nft's own words or by iptables'. */
export function isForwarded(chains: readonly Chain[], probe: Probe): boolean {
  return chains.some(
    ({ base, rules, table }) =>
      (base?.type === 'nat' || table === 'nat') &&
      rules.some(
        ({ statements }) =>
          statements.some((one) => isStatement(one, 'dnat') || member(member(one, 'xt'), 'name') === 'DNAT') &&
          statements.some((one) => namesPort(one, probe)),
      ),
  )
}

function namesPort(statement: Json, probe: Probe): boolean {
  const match = member(statement, 'match')
  const payload = member(member(match, 'left'), 'payload')
  return member(payload, 'field') === 'dport' && match !== undefined && matches(match, probe) === true
}

function course(chain: Chain, chains: readonly Chain[], probe: Probe, depth: number): Course {
  const maybe = new Set<Verdict>()
  if (depth > DEEPEST) return { end: 'unsure', maybe }
  for (const rule of chain.rules) {
    const step = stepOf(rule, chain, chains, probe, depth)
    for (const verdict of step.maybe) maybe.add(verdict)
    if (step.kind === 'end') return { end: step.end, maybe, ...(step.rule !== undefined && { rule: step.rule }) }
    if (step.kind === 'return') break
  }
  return { end: 'next', maybe }
}

type Step =
  | { readonly kind: 'next' | 'return'; readonly maybe: ReadonlySet<Verdict> }
  | {
      readonly kind: 'end'
      readonly end: Verdict | 'unsure'
      readonly rule?: Rule
      readonly maybe: ReadonlySet<Verdict>
    }

const BOTH: ReadonlySet<Verdict> = new Set(['accept', 'drop'])
const NONE: ReadonlySet<Verdict> = new Set()

function stepOf(rule: Rule, chain: Chain, chains: readonly Chain[], probe: Probe, depth: number): Step {
  const met = conditionOf(rule.statements, probe)
  if (met === false) return { kind: 'next', maybe: NONE }
  const target = rule.statements.map((one) => targetOf(one) ?? mapped(one, probe)).find((one) => one !== undefined)
  if (target === undefined) return { kind: 'next', maybe: NONE }
  switch (target.kind) {
    case 'verdict':
      return met
        ? { kind: 'end', end: target.verdict, rule, maybe: NONE }
        : { kind: 'next', maybe: new Set([target.verdict]) }
    case 'return':
      // It may leave the chain here: whatever stands below may not be met.
      return met ? { kind: 'return', maybe: NONE } : { kind: 'next', maybe: BOTH }
    case 'unknown':
      return { kind: 'next', maybe: BOTH }
    case 'chain': {
      const next = chainNamed(target.name, chain, chains)
      if (next === undefined) return { kind: 'next', maybe: BOTH }
      const { end, maybe, rule: by } = course(next, chains, probe, depth + 1)
      const all = end === 'accept' || end === 'drop' ? new Set([...maybe, end]) : end === 'unsure' ? BOTH : maybe
      if (!met) return { kind: 'next', maybe: all }
      if (end !== 'next') return { kind: 'end', end, maybe, ...(by !== undefined && { rule: by }) }
      return target.isGoto ? { kind: 'return', maybe } : { kind: 'next', maybe }
    }
    default:
      return target satisfies never
  }
}

/** Whether all conditions of a rule are met. */
function conditionOf(statements: readonly Json[], probe: Probe): Answer {
  let isSure = true
  for (const statement of statements) {
    const match = member(statement, 'match')
    const met = match !== undefined ? matches(match, probe) : isConditional(statement) ? undefined : true
    if (met === false) return false
    if (met === undefined) isSure = false
  }
  return isSure ? true : undefined
}

/** What lets only some packets go on to the statements behind it. */
function isConditional(statement: Json): boolean {
  return ['limit', 'quota', 'ct count', 'connlimit', 'set', 'xt', 'meter'].some((name) => isStatement(statement, name))
}

type Target =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'chain'; readonly name: string; readonly isGoto: boolean }
  | { readonly kind: 'return' | 'unknown' }

function targetOf(statement: Json): Target | undefined {
  if (isStatement(statement, 'accept')) return { kind: 'verdict', verdict: 'accept' }
  if (isStatement(statement, 'drop') || isStatement(statement, 'reject')) return { kind: 'verdict', verdict: 'drop' }
  if (isStatement(statement, 'return')) return { kind: 'return' }
  for (const jump of ['jump', 'goto']) {
    const name = member(member(statement, jump), 'target')
    if (typeof name === 'string') return { kind: 'chain', name, isGoto: jump === 'goto' }
  }
  // What iptables' own matches ask is a condition; what its own targets do is not told.
  if (member(member(statement, 'xt'), 'type') === 'match') return undefined
  if (['queue', 'xt'].some((name) => isStatement(statement, name))) return { kind: 'unknown' }
  return undefined
}

/** `tcp dport vmap {22: accept}`; undefined: nothing in it is for this packet. */
function mapped(statement: Json, probe: Probe): Target | undefined {
  const map = member(statement, 'vmap')
  if (map === undefined) return undefined
  const [key, pairs] = [member(map, 'key'), member(member(map, 'data'), 'set')]
  if (key === undefined || !Array.isArray(pairs)) return { kind: 'unknown' }
  for (const pair of pairs) {
    if (!Array.isArray(pair)) return { kind: 'unknown' }
    const [left, verdict] = pair as [Json, Json]
    const met = matches({ op: '==', left: key, right: elementOf(left) }, probe)
    if (met === undefined) return { kind: 'unknown' }
    if (met) return targetOf(verdict)
  }
  return undefined
}

function isStatement(statement: Json, name: string): boolean {
  return statement === name || member(statement, name) !== undefined
}

function chainNamed(name: string, { family, table }: Chain, chains: readonly Chain[]): Chain | undefined {
  return chains.find((one) => one.name === name && one.family === family && one.table === table)
}
