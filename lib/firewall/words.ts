/** Which words of the configuration go into the files of nftables/. Pure. */
import type { Jump, Protocol, Resource, ServerConfig } from '../config/types.js'
import { addressFromBytes } from '../wire/address.js'
import { formatId, type UserId } from '../wire/ids.js'
import { leadingBits } from '../wire/prefix.js'
import { jumpComment, portComment } from './comments.js'
import { setName } from './names.js'
import { type Guarded, rangesText, sizeText, timeText, verdictsText } from './nft-text.js'
import { keysOf } from './policy.js'
import type { Words } from './template.js'

/** SPA's slot, and what of each slot is in the kernel (docs/PROTOCOL.md, "Datagram", "Instant tokens"). */
const SLOT_MS = 30_000
const TAGS_A_SLOT = 4
const TOKENS_A_SLOT = 16
const TOKEN_SLOTS = 4
const DAY_MS = 86_400_000
/** The kernel sets a hash table of this size up at once, and an element that has ended counts until it is collected. */
const LEAST_LEASES = 8192
const LEAST_TAGS = 32_768
const LEAST_TOKENS = 2048
/** The kernel multiplies burst and period in nanoseconds: beyond this a week would not fit its 64 bits. */
const MOST_A_WEEK = 10_000

export function baseWords(config: ServerConfig): Words {
  const { firewall, spa, limits, users } = config
  const ports = spa.ports === 'any' ? [] : spa.ports
  const hearing = spa.enabled && (spa.ports === 'any' || ports.length > 0)
  const tagSlots = Math.ceil((2 * spa.windowMs) / SLOT_MS) + 3
  return {
    table: firewall.table,
    'let-in': hex(firewall.markBit),
    hearing,
    'listed-ports': hearing && spa.ports !== 'any',
    'any-port': hearing && spa.ports === 'any',
    'heard-ports': ports.join(', '),
    'heard-group': `${firewall.heardGroup}`,
    'tags-size': sizeText(Math.max(LEAST_TAGS, keyCount(users.keys(), config) * tagSlots * TAGS_A_SLOT)),
    'tag-rate': `${limits.tagRate}`,
    'tag-burst': `${limits.tagBurst}`,
    // Longer than any token can live, whenever it was used (docs/PROTOCOL.md, "Instant tokens").
    'used-timeout': timeText(2 * (2 * spa.windowMs + SLOT_MS) + 60_000),
  }
}

export function closedWords({ firewall }: ServerConfig, closed: 'drop' | 'reject'): Words {
  return { table: firewall.table, drop: closed === 'drop', reject: closed === 'reject' }
}

export function guardWords({ firewall }: ServerConfig, guarded: readonly Resource[]): Words {
  const tcp = portsOf(guarded, 'tcp')
  const udp = portsOf(guarded, 'udp')
  return {
    table: firewall.table,
    tcp: tcp.length > 0,
    udp: udp.length > 0,
    'tcp-ports': rangesText(tcp),
    'udp-ports': rangesText(udp),
    'tcp-verdicts': verdictsText(tcp),
    'udp-verdicts': verdictsText(udp),
    forward4: firewall.guardForward.filter((network) => !network.includes(':')),
    forward6: firewall.guardForward.filter((network) => network.includes(':')),
    trusted: firewall.trust,
    trial: firewall.trialEndsMs !== undefined,
  }
}

export function resourceWords(resource: Resource, config: ServerConfig): Words {
  const { connections, cut, instant, maxLeases, maxTimeoutMs, timeoutMs, users } = resource
  const keys = keyCount(users ?? config.users.keys(), config)
  return {
    id: formatId(resource.id),
    ...prefixWords(resource),
    table: config.firewall.table,
    'record-group': `${config.firewall.recordGroup}`,
    cut,
    instant: instant && config.spa.enabled,
    connections: connections > 0,
    // With `cut` a lease that goes with its first connection would take that along.
    single: connections === 1 && !cut,
    burst: `${connections}`,
    refill: connections > MOST_A_WEEK ? '1/day' : '1/week',
    timeout: timeText(timeoutMs),
    'lease-size': sizeText(Math.max(LEAST_LEASES, maxLeases)),
    'token-size': sizeText(Math.max(LEAST_TOKENS, keys * TOKENS_A_SLOT * TOKEN_SLOTS)),
    // A count that was forgotten before its lease ends would let more in.
    'conn-timeout': timeText(Math.max(DAY_MS, 2 * maxTimeoutMs)),
  }
}

/** What of a packet is looked up among the leases: its source, or the part of it that counts. */
function prefixWords({ prefix }: Resource): Words & { saddr4: string; saddr6: string } {
  const masked = (field: string, bits: number, of: 32 | 128) =>
    bits === of ? field : `${field} & ${addressFromBytes(leadingBits(of / 8, bits))}`
  const { v4, v6 } = prefix ?? { v4: 32, v6: 128 }
  return {
    prefix: prefix !== undefined,
    prefix4: `${v4}`,
    prefix6: `${v6}`,
    saddr4: masked('ip saddr', v4, 32),
    saddr6: masked('ip6 saddr', v6, 128),
  }
}

export function chainWords(resource: Resource, config: ServerConfig): Words {
  const chain = config.firewall.chain!
  const { target, id } = resource
  const ports = target.kind === 'ports'
  const jumps = target.kind === 'jump' ? target.jumps : []
  const v4 = chain.family !== 'ip6'
  const v6 = chain.family !== 'ip'
  const jump = (match: string) => (one: Jump) =>
    `${chain[one.hook]} ${match} jump ${one.chain} comment ${jumpComment(id, one.chain)}`
  const { saddr4, saddr6 } = prefixWords(resource)
  const bySource = jumps.filter((one) => one.matchSource)
  const forAll = jumps.filter((one) => !one.matchSource)
  return {
    ...resourceWords(resource, config),
    'let-in': hex(config.firewall.markBit),
    family: chain.family,
    'host-table': chain.table,
    input: chain.input,
    comment: ports ? portComment(resource) : '',
    v4,
    v6,
    ports,
    match: ports ? portMatch(resource) : '',
    live: forAll.length > 0,
    jump4: v4 ? bySource.map(jump(`${saddr4} @${setName('lease4', id, 'host')}`)) : [],
    jump6: v6 ? bySource.map(jump(`${saddr6} @${setName('lease6', id, 'host')}`)) : [],
    jump: forAll.map(jump(`meta protocol @${setName('live', id, 'host')}`)),
  }
}

function portsOf(resources: readonly Resource[], protocol: Protocol): Guarded[] {
  return resources.flatMap(({ id, target }) =>
    target.kind === 'ports' && target.protocols.includes(protocol) ? target.ports.map((range) => ({ id, range })) : [],
  )
}

function portMatch({ id, target }: Resource): string {
  if (target.kind !== 'ports') return ''
  const ports = rangesText(target.ports.map((range) => ({ id, range })))
  const [first, second] = target.protocols
  return second === undefined ? `${first} dport { ${ports} }` : `meta l4proto { tcp, udp } th dport { ${ports} }`
}

function hex(bit: number): string {
  return `0x${(bit >>> 0).toString(16)}`
}

/** How many keys these users have in all: a tag or token is of a key. */
function keyCount(users: Iterable<UserId>, config: ServerConfig): number {
  let count = 0
  for (const user of users) count += keysOf(user, config).length
  return count
}
