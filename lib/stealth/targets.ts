/** Which ports are looked at, and with what. Pure: randomness is handed in. */
import type { Family } from '../wire/address.js'
import type { Protocol, Target } from './look.js'
import { LETMEIN_SHAPE, PLAIN_SHAPE } from './shapes.js'

export interface GuardedPort {
  readonly protocol: Protocol
  readonly port: number
}

export interface Question {
  readonly knockPort: number
  readonly guarded: readonly GuardedPort[]
  /** All names of what is sent to the knock port. */
  readonly shapes: readonly string[]
}

export const SYN = 'SYN'
const CLOSED_PORTS = 3
/** Ports that networks on the way like to filter, or that much is listening on, are no good example of a closed one. */
const LEAST_PORT = 20_000
const GREATEST_PORT = 32_000

/** A few ports that most likely nothing listens on: the knock port's neighbour, and ports by chance. */
export function closedPorts({ knockPort, guarded }: Question, random: () => number): readonly number[] {
  const taken = new Set([knockPort, ...guarded.map(({ port }) => port)])
  const neighbour = knockPort < 0xffff ? knockPort + 1 : knockPort - 1
  const chosen = new Set(taken.has(neighbour) ? [] : [neighbour])
  while (chosen.size < CLOSED_PORTS) {
    const port = LEAST_PORT + Math.floor(random() * (GREATEST_PORT - LEAST_PORT))
    if (!taken.has(port)) chosen.add(port)
  }
  return [...chosen]
}

/**
 * What is tried in one family. Few, since a host that refuses sends a stranger no more than six messages at once and one a second:
 * every shape at the knock port; a plain one at the closed ports, and a second shape at one of them.
 */
export function targetsOf(family: Family, question: Question, closed: readonly number[]): readonly Target[] {
  const { knockPort, guarded, shapes } = question
  const udp = { family, protocol: 'udp' } as const
  const tcp = { family, protocol: 'tcp', shape: SYN } as const
  return [
    ...closed.map((port): Target => ({ ...udp, port, role: 'closed', shape: PLAIN_SHAPE })),
    ...shapes.map((shape): Target => ({ ...udp, port: knockPort, role: 'knock', shape })),
    { ...udp, port: closed[0]!, role: 'closed', shape: LETMEIN_SHAPE },
    ...guarded
      .filter(({ protocol }) => protocol === 'udp')
      .map(({ port }): Target => ({ ...udp, port, role: 'guarded', shape: PLAIN_SHAPE })),
    ...closed.map((port): Target => ({ ...tcp, port, role: 'closed' })),
    ...guarded
      .filter(({ protocol }) => protocol === 'tcp')
      .map(({ port }): Target => ({ ...tcp, port, role: 'guarded' })),
    { ...tcp, port: knockPort, role: 'knock' },
  ]
}
