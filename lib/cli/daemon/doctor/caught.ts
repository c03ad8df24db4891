/** What a datagram that was overheard turned out to be. Each protocol has an ear of its own; lib/cli/daemon/doctor/listen.ts has them all. */
import type { Finding, Report } from '../../finding.js'
import type { Datagram } from './overhear.js'

export interface Caught {
  /**
   * `own`: made with a key that was listened for. `near`: with one of two keys. `claimed`: it says whose it is, which anybody can.
   * `alike`: it has the form of a protocol that is its own. `strange`: its length alone speaks for it.
   */
  readonly kind: 'own' | 'near' | 'claimed' | 'alike' | 'strange'
  readonly report: Report
  /** Where a protocol goes on: how long, what the next datagram means, and what it means that none did; else `report` goes. */
  readonly next?: {
    readonly forMs: number
    readonly judge: (datagram: Datagram) => Report | undefined
    readonly end: () => Report
  }
}

/** undefined: it is none of this protocol's, or nobody's who was listened for. */
export type Ear = (datagram: Datagram) => Caught | undefined

const RANKS: readonly Caught['kind'][] = ['strange', 'alike', 'claimed', 'near', 'own']

/** The one that says more; of two alike the later. */
export function tellingMore(a: Caught | undefined, b: Caught): Caught {
  return a !== undefined && RANKS.indexOf(a.kind) > RANKS.indexOf(b.kind) ? a : b
}

/** One cause, and nothing else. */
export function because(kind: Caught['kind'], finding: Finding): Caught {
  return { kind, report: { findings: [finding], notes: [] } }
}

/** What each protocol's ear says in the same words. */
export const MENDS = {
  clock: 'timedatectl set-ntp true   # on the machine whose clock is wrong',
} as const

/** "the clock there is 5 min behind this one, which says …: 60 s are let pass". */
export function clockWords(offMs: number, atMs: number, mostMs: number): string {
  const span = spanWords(Math.abs(offMs))
  return `the clock there is ${span} ${offMs < 0 ? 'behind' : 'ahead of'} this one, which says ${new Date(atMs).toISOString()}: ${spanWords(mostMs)} are let pass`
}

/** "any UDP port", "UDP port 5800". */
export function placeWords(ports: 'any' | readonly number[]): string {
  return ports === 'any' ? 'any UDP port' : `UDP port ${ports.join(', ')}`
}

/** Seconds below two minutes, else the two largest units. */
export function spanWords(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([count]) => count > 0)
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
