/**
 * One resource of [RESOURCES]: letmein's grammar and postern's own parts (docs/PROTOCOL.md, "Configuration files").
 */
import { formatId, type ResourceId } from '../wire/ids.js'
import { type Findings, quote } from './error.js'
import type { Option } from './ini.js'
import { type Part, PartReader, splitParts } from './parts.js'
import { portRanges, protocolsOf } from './ports.js'
import type { AddressPolicy, Jump, PrefixLengths, Resource } from './types.js'
import { boolean, type Form, id, integer, listOf, misfit, nftName, oneOf, seconds } from './values.js'

export interface ResourceDefaults {
  readonly timeoutMs: number
  readonly requireAddress: AddressPolicy
}

const HOOKS = ['input', 'forward', 'output'] as const
const EVERY_KIND = ['users', 'timeout', 'max-timeout', 'leases', 'require-address', 'prefix', 'name']
const PORT_PARTS = ['port', ...EVERY_KIND, 'instant', 'connections', 'cut']
/** letmein: of two targets of a jump the last counts. */
const TARGET_PARTS = HOOKS.flatMap((hook) => [hook, `${hook}-match`])
const JUMP_PARTS = [...TARGET_PARTS, ...EVERY_KIND]
/** The kernel's element needs an end that lies ahead: a set element with timeout 0 would never end. */
const LEAST_LEASE_MS = 100
const WIDEST: PrefixLengths = { v4: 16, v6: 32 }
const MOST_LEASES = 65_536
const MOST_CONNECTIONS = 65_535

/** Each policy by two words: whether the knock has to name an address, or which address counts. */
const ADDRESS_POLICIES = {
  yes: 'yes',
  optional: 'optional',
  no: 'no',
  signed: 'yes',
  either: 'optional',
  observed: 'no',
} as const
const addressWord = oneOf(...(Object.keys(ADDRESS_POLICIES) as (keyof typeof ADDRESS_POLICIES)[]))
export const addressPolicy: Form<AddressPolicy> = (text) => {
  const word = addressWord(text)
  return 'value' in word ? { value: ADDRESS_POLICIES[word.value] } : word
}

/** What CLI and logs may call it. Digits alone would be a port. */
const resourceName: Form<string> = (text) =>
  /^(?![0-9]+$)[A-Za-z0-9_.-]{1,32}$/.test(text)
    ? { value: text }
    : misfit(text, '1–32 of A–Z a–z 0–9 _ - ., not digits alone')

/** `24/64`: of IPv4 and of IPv6. Wider ones would let in whole providers. */
const prefixLengths: Form<PrefixLengths> = (text) => {
  const [v4, v6] = (/^([0-9]{1,2}) ?\/ ?([0-9]{1,3})$/.exec(text) ?? []).slice(1).map(Number)
  return v4! >= WIDEST.v4 && v4! <= 32 && v6! >= WIDEST.v6 && v6! <= 128
    ? { value: { v4: v4!, v6: v6! } }
    : misfit(text, `the prefix lengths of IPv4 and IPv6, ${WIDEST.v4}–32/${WIDEST.v6}–128, like 24/64`)
}

/** The resource that an option defines; undefined where what it opens cannot be told (which is then among the findings). */
export function readResource(
  option: Option,
  resourceId: ResourceId,
  defaults: ResourceDefaults,
  findings: Findings,
): Resource | undefined {
  const reader = new PartReader(option, `resource ${formatId(resourceId)}`, findings)
  const parts = splitParts(option)
  const isJump = parts.some((part) => part.name === undefined && part.values.includes('jump'))
  reader.sort(parts, isJump ? JUMP_PARTS : PORT_PARTS, TARGET_PARTS)
  const words = wordsOf(parts, isJump, reader)
  const common = { id: resourceId, line: option.line, ...readCommon(reader, defaults) }
  if (isJump)
    return { ...common, target: { kind: 'jump', jumps: readJumps(reader) }, instant: false, cut: false, connections: 0 }

  const instant = reader.take('instant', boolean, false)
  if (instant && common.requireAddress === 'yes')
    reader.refuse(
      reader.line('require-address', 'instant'),
      'instant: yes: expected require-address: optional or no, for the kernel opens for the source alone',
    )
  const cut = reader.take('cut', boolean, false)
  const connections = reader.take('connections', integer(0, MOST_CONNECTIONS), 0)
  const ports = reader.take('port', portRanges, undefined)
  if (!reader.has('port')) reader.refuse(option.line, 'expected a part "port: NUMBER" or "jump"')
  if (ports === undefined) return undefined
  return { ...common, target: { kind: 'ports', ports, protocols: protocolsOf(words) }, instant, cut, connections }
}

/** The bare words: `jump` alone for a jump, else protocols in any case. */
function wordsOf(parts: readonly Part[], isJump: boolean, reader: PartReader): Set<string> {
  const words = new Set<string>()
  for (const { name, values, text, line } of parts)
    for (const word of name === undefined ? values : [])
      if (isJump ? text === 'jump' : /^(tcp|udp)$/i.test(word)) words.add(word.toLowerCase())
      else
        reader.refuse(line, `${quote(word)}: expected ${isJump ? 'jump alone' : 'tcp, udp or NAME: VALUE'} between "/"`)
  return words
}

/** What ports and jumps have in common. */
function readCommon(reader: PartReader, defaults: ResourceDefaults) {
  const users = reader.take('users', listOf(id), undefined)
  if (users?.length === 0) reader.refuse(reader.line('users'), 'users "": expected ids, separated by commas')
  const wantedMs = reader.take('timeout', seconds(), defaults.timeoutMs)
  const timeoutMs = Math.max(LEAST_LEASE_MS, wantedMs)
  if (wantedMs < LEAST_LEASE_MS) reader.warn(reader.line('timeout'), 'the shortest lease is 0.1 s')
  const name = reader.take('name', resourceName, undefined)
  const prefix = reader.take('prefix', prefixLengths, undefined)
  return {
    ...(name === undefined ? {} : { name }),
    ...(users === undefined ? {} : { users: [...new Set(users)] }),
    timeoutMs,
    saysTimeout: reader.has('timeout') || reader.has('max-timeout'),
    maxTimeoutMs: reader.take('max-timeout', seconds(timeoutMs / 1000), timeoutMs),
    maxLeases: reader.take('leases', integer(0, MOST_LEASES), 0),
    requireAddress: reader.take('require-address', addressPolicy, defaults.requireAddress),
    ...(prefix === undefined ? {} : { prefix }),
  }
}

function readJumps(reader: PartReader): Jump[] {
  if (!HOOKS.some((hook) => reader.has(hook)))
    reader.refuse(reader.line(), 'jump: expected input:, forward: or output: CHAIN')
  return HOOKS.flatMap((hook) => {
    const matchSource = reader.take(`${hook}-match`, oneOf('saddr'), undefined) !== undefined
    const chain = reader.take(hook, nftName, undefined)
    return chain === undefined ? [] : [{ hook, chain, matchSource }]
  })
}
