/**
 * How a port looks to a stranger, and what was tried at it. docs/SECURITY.md, "Seen from outside". Pure.
 */
import type { Family } from '../wire/address.js'

/**
 * What comes back: nothing; that the port is closed (RST, ICMP port unreachable); that a firewall forbids it (ICMP, administratively
 * prohibited); another ICMP message; a datagram; a connection.
 */
export type Look = 'silent' | 'refused' | 'prohibited' | 'unreachable' | 'answered' | 'open'
export type Protocol = 'udp' | 'tcp'

/** Why a port is looked at: knocks go there, postern guards it, or it is closed and neither. */
export type Role = 'knock' | 'guarded' | 'closed'

export interface Target {
  readonly family: Family
  readonly protocol: Protocol
  readonly port: number
  readonly role: Role
  /** The name of what is sent; of TCP a SYN, as a rule. */
  readonly shape: string
}

export interface Observation extends Target {
  readonly look: Look
  /** What a closer look than a socket's shows of the answer: type, TTL, length. Equal where it cannot be seen. */
  readonly detail?: string
  /** From the last try to its answer. For information: what it tells of a distant host is mostly the line. */
  readonly ms?: number
}

const WORDS: Readonly<Record<Protocol, Readonly<Record<Look, string>>>> = {
  udp: {
    silent: 'silent',
    refused: 'refused (ICMP port unreachable)',
    prohibited: 'forbidden (ICMP administratively prohibited)',
    unreachable: 'unreachable (ICMP)',
    answered: 'answered by a datagram',
    open: 'open',
  },
  tcp: {
    silent: 'silent',
    refused: 'refused',
    prohibited: 'forbidden (ICMP administratively prohibited)',
    unreachable: 'unreachable (ICMP)',
    answered: 'answered',
    open: 'open',
  },
}

/** In words, as in `TCP 22 is …`. */
export function lookWords({ protocol, look, detail }: Pick<Observation, 'protocol' | 'look' | 'detail'>): string {
  return detail === undefined ? WORDS[protocol][look] : `${WORDS[protocol][look]}: ${detail}`
}

/** Whether nobody can tell them apart by what came back. */
export function isAlike(a: Pick<Observation, 'look' | 'detail'>, b: Pick<Observation, 'look' | 'detail'>): boolean {
  return a.look === b.look && a.detail === b.detail
}
