/**
 * Ports in configuration files: where knocks are heard, and what a resource opens. Pure; never throws.
 */
import { trim } from './ini.js'
import type { PortRange, Protocol, Resource } from './types.js'
import { type Form, integer, misfit } from './values.js'

export const DEFAULT_PORT = 5800

/** The [GENERAL] port of letmein, with more than one number or `any` as well. */
export interface ControlPort {
  /** Ascending, without doubles. */
  readonly numbers: 'any' | readonly number[]
  readonly protocols: readonly Protocol[]
}

const port = integer(1, 65_535)
const NUMBER = /^(?:[0-9]+|0x[0-9a-fA-F]+)$/

/**
 * `5800`, `udp / 5800`, `tcp,udp`, `5800,62201 / udp`, `any / udp`: parts in any order, the last of two numbers counts, no
 * protocol is TCP.
 */
export const controlPort: Form<ControlPort> = (text) => {
  let numbers: ControlPort['numbers'] = [DEFAULT_PORT]
  const named = new Set<string>()
  for (const part of text.split('/')) {
    const words = part.split(',').map((word) => trim(word).toLowerCase())
    if (words.every((word) => NUMBER.test(word) || word === 'any')) {
      const reading = hearingPorts(words.join(','))
      if ('misfit' in reading) return reading
      numbers = reading.value
    } else {
      const strange = words.find((word) => word !== 'tcp' && word !== 'udp')
      if (strange !== undefined) return misfit(strange, 'a port, tcp or udp between "/", as 5800 / udp or any / udp')
      for (const word of words) named.add(word)
    }
  }
  const protocols = protocolsOf(named)
  if (numbers === 'any' && protocols.includes('tcp')) return misfit(text, 'any / udp; over TCP a number')
  return { value: { numbers, protocols } }
}

/** `any`, or one port or several: where datagrams are heard. */
export const hearingPorts: Form<'any' | readonly number[]> = (text) => {
  if (text.toLowerCase() === 'any') return { value: 'any' }
  const numbers = new Set<number>()
  for (const word of text.split(',')) {
    const reading = port(trim(word))
    if ('misfit' in reading) return reading
    numbers.add(reading.value)
  }
  return { value: [...numbers].sort((a, b) => a - b) }
}

/** Where a client knocks: the first where its file names several, as a server's file may. */
export function onePort(numbers: 'any' | readonly number[]): 'any' | number {
  return numbers === 'any' ? 'any' : (numbers[0] ?? DEFAULT_PORT)
}

/** `22`, or several ports and ranges: `22,8000-8010`. Ascending; overlapping ones are refused. */
export const portRanges: Form<PortRange[]> = (text) => {
  const ranges: PortRange[] = []
  for (const item of text.split(',').map(trim)) {
    const bounds = item.split('-', 2).map((bound) => port(trim(bound)))
    const strange = bounds.find((bound) => 'misfit' in bound)
    if (strange !== undefined && 'misfit' in strange) return strange
    const [first, last] = bounds.map((bound) => ('value' in bound ? bound.value : 0))
    const range = { first: first!, last: last ?? first! }
    if (item.split('-').length > 2 || range.last < range.first) return misfit(item, 'FIRST-LAST, the smaller one first')
    if (ranges.some((other) => overlaps(range, other))) return misfit(item, 'each port once')
    ranges.push(range)
  }
  return { value: ranges.sort((a, b) => a.first - b.first) }
}

/** `tcp`, `udp` or both, always in this order; tcp where none is named. */
export function protocolsOf(named: ReadonlySet<string>): Protocol[] {
  const protocols = (['tcp', 'udp'] as const).filter((protocol) => named.has(protocol))
  return protocols.length > 0 ? protocols : ['tcp']
}

/** True where they have a port in common. */
export function overlaps(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last
}

export function contains({ first, last }: PortRange, port: number): boolean {
  return first <= port && port <= last
}

/** True where the port is one that the resource opens; a jump opens none. */
export function covers({ target }: Pick<Resource, 'target'>, port: number): boolean {
  return target.kind === 'ports' && target.ports.some((range) => contains(range, port))
}

/** `22`, `8000-8010`, as files have it. */
export function formatRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`
}

/** `22`, `8000–8010`, as it stands in a sentence. */
export function rangeWords({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}–${last}`
}
