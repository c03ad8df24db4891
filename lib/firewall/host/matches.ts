/** Whether a statement of nft's matches a packet of which little is known: yes, no, or it depends on what is not known. Pure. */
import { addressToKey, canonicalAddress, familyOf } from '../../wire/address.js'
import { beginAlike } from '../../wire/prefix.js'
import { type Json, member } from './listing.js'

/** A packet to one port of this host, from somewhere outside, of somebody who has no lease; or one of this host's to somewhere outside. */
export interface Probe {
  readonly family: 4 | 6
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** Where that is known. */
  readonly sourcePort?: number
  readonly state: 'new' | 'established'
  /** It is not for this host but for an address (canonical text) behind this device of its own, and comes from elsewhere. */
  readonly behind?: { readonly device: string; readonly address: string }
}

/** undefined: it depends. */
export type Answer = boolean | undefined

const NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 }
/** Sets of ours in the administrator's table, and what lies in them is leases. */
const OUR_SETS = /^@postern_/

/** Of `{"match": {op, left, right}}`. */
export function matches(match: Json, probe: Probe): Answer {
  const [op, left, right] = [member(match, 'op'), member(match, 'left'), member(match, 'right')]
  const equal = typeof right === 'string' && OUR_SETS.test(right) ? false : isEqual(left, right, probe)
  return op === '!=' && equal !== undefined ? !equal : op === '==' || op === 'in' || op === '!=' ? equal : undefined
}

function isEqual(left: Json | undefined, right: Json | undefined, probe: Probe): Answer {
  const payload = member(left, 'payload')
  if (payload !== undefined) return ofPayload(payload, right, probe)
  const key = member(member(left, 'meta'), 'key')
  switch (key) {
    case 'l4proto':
      return within(right, [probe.protocol, NUMBERS[probe.protocol]!])
    case 'nfproto':
      return within(right, [`ipv${probe.family}`, probe.family === 4 ? 2 : 10])
    case 'iif':
    case 'iifname':
      // From outside: any interface but these.
      return right === 'lo' || (probe.behind !== undefined && right === probe.behind.device) ? false : undefined
    case 'oif':
    case 'oifname':
      if (right === 'lo') return false
      return typeof right === 'string' && right === probe.behind?.device ? true : undefined
    default:
  }
  if (member(member(left, 'ct'), 'key') === 'state') return within(right, [probe.state])
  if (member(member(left, 'fib'), 'result') === 'type')
    return within(right, [probe.behind === undefined ? 'local' : 'unicast'])
  return undefined
}

function ofPayload(payload: Json, right: Json | undefined, probe: Probe): Answer {
  const [protocol, field] = [member(payload, 'protocol'), member(payload, 'field')]
  switch (protocol) {
    case 'tcp':
    case 'udp':
    case 'th':
      if (protocol !== 'th' && protocol !== probe.protocol) return false
      if (field === 'sport' && probe.sourcePort !== undefined) return within(right, [probe.sourcePort])
      return field === 'dport' ? within(right, [probe.port]) : undefined
    case 'ip':
    case 'ip6':
      if ((protocol === 'ip' ? 4 : 6) !== probe.family) return false
      if (field === 'daddr' && probe.behind !== undefined) return isAmong(right, probe.behind.address)
      return field === 'protocol' || field === 'nexthdr'
        ? within(right, [probe.protocol, NUMBERS[probe.protocol]!])
        : undefined
    case 'icmp':
    case 'icmpv6':
    case 'sctp':
    case 'dccp':
    case 'arp':
      return false
    default:
      return undefined
  }
}

/** Whether an address is what stands on the right: an address, a network, a set written out. */
function isAmong(right: Json | undefined, address: string): Answer {
  if (typeof right === 'string') return right.startsWith('@') ? undefined : canonicalAddress(right) === address
  const prefix = member(right, 'prefix')
  const [first, length] = [member(prefix, 'addr'), member(prefix, 'len')]
  if (typeof first === 'string' && typeof length === 'number') return hasPrefix(address, first, length)
  const list = member(right, 'set')
  return Array.isArray(list) ? any(list.map((one: Json) => isAmong(elementOf(one), address))) : undefined
}

function hasPrefix(address: string, first: string, length: number): Answer {
  const [start, own] = [canonicalAddress(first), canonicalAddress(address)]
  if (start === undefined || own === undefined) return undefined
  return familyOf(start) === familyOf(own) && beginAlike(addressToKey(own), addressToKey(start), length)
}

/** Whether one of these values is what stands on the right: a value, a list, a range, a set written out. */
export function within(right: Json | undefined, values: readonly (string | number)[]): Answer {
  if (typeof right === 'string' && right.startsWith('@')) return undefined
  if (typeof right === 'string' || typeof right === 'number') return values.includes(right)
  const list = Array.isArray(right) ? right : member(right, 'set')
  if (Array.isArray(list)) return any(list.map((one: Json) => within(elementOf(one), values)))
  const range = member(right, 'range')
  if (Array.isArray(range)) {
    const [first, last] = range.map(Number)
    return values.some((value) => typeof value === 'number' && first! <= value && value <= last!)
  }
  return undefined
}

/** An element with a comment or a counter stands in `{"elem": {"val": …}}`. */
export function elementOf(value: Json): Json {
  return member(member(value, 'elem'), 'val') ?? value
}

function any(answers: readonly Answer[]): Answer {
  if (answers.includes(true)) return true
  return answers.includes(undefined) ? undefined : false
}
