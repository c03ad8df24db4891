/** Which ports stand out from a host's closed ones, and by what. Pure. */
import type { Family } from '../wire/address.js'
import { isAlike, type Observation, type Protocol } from './look.js'
import { LETMEIN_SHAPE } from './shapes.js'

/** What stands out: */
export type Sign =
  /** more comes back from the knock port than from closed ports: a rule lets it through, or something is bound */
  | 'let-through'
  /** less comes back: a rule drops it, or something is bound to it and keeps silent */
  | 'swallowed'
  /** both answer, in different ways */
  | 'other-answer'
  /** only what has letmein's form is swallowed */
  | 'letmein'
  /** a program says something */
  | 'answered'
  /** a connection comes about */
  | 'open'
  /** a guarded port does not look as closed ones do */
  | 'guarded'
  /** this host's closed ports do not look alike among themselves */
  | 'closed-unlike'

export interface Difference {
  readonly sign: Sign
  readonly seen: Observation
  /** How closed ports look. */
  readonly usual: Observation
}

/** Everything that tells a port apart, at most one difference for each port, protocol and family. */
export function differences(observations: readonly Observation[]): readonly Difference[] {
  const groups = new Map<string, Observation[]>()
  for (const one of observations) {
    const key = `${one.family} ${one.protocol}`
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].flatMap(inGroup)
}

/** How this host's closed ports look to one protocol and family; undefined where none was looked at. */
export function usualLook(
  observations: readonly Observation[],
  family: Family,
  protocol: Protocol,
): Observation | undefined {
  const closed = observations.filter(
    (one) => one.role === 'closed' && one.family === family && one.protocol === protocol && one.shape !== LETMEIN_SHAPE,
  )
  const votes = (look: Observation) => closed.filter((other) => isAlike(look, other)).length
  return closed.reduce<Observation | undefined>(
    (best, one) => (best === undefined || votes(one) > votes(best) ? one : best),
    undefined,
  )
}

function inGroup(group: readonly Observation[]): Difference[] {
  const { family, protocol } = group[0]!
  const usual = usualLook(group, family, protocol)
  if (usual === undefined) return []
  const odd = group.filter((one) => !isAlike(one, usual))
  const byPort = new Map<number, Observation[]>()
  for (const one of odd) byPort.set(one.port, [...(byPort.get(one.port) ?? []), one])
  return [...byPort.values()].map((seen) => ({ sign: signOf(seen, usual, group), seen: plainestOf(seen), usual }))
}

function signOf(seen: readonly Observation[], usual: Observation, group: readonly Observation[]): Sign {
  const first = plainestOf(seen)
  if (first.role === 'guarded' && first.look !== 'open') return 'guarded'
  if (seen.some(({ look }) => look === 'open')) return 'open'
  if (seen.some(({ look }) => look === 'answered')) return 'answered'
  const tried = group.filter(({ port }) => port === first.port)
  if (seen.length < tried.length && seen.every(({ shape, look }) => shape === LETMEIN_SHAPE && look === 'silent'))
    return 'letmein'
  if (first.role === 'closed') return 'closed-unlike'
  if (usual.look === 'silent') return 'let-through'
  return first.look === 'silent' ? 'swallowed' : 'other-answer'
}

/** Of several the one that says most. */
function plainestOf(seen: readonly Observation[]): Observation {
  return seen.find(({ look }) => look === 'open' || look === 'answered') ?? seen[0]!
}
