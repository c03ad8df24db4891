/** The arguments of `postern knock` and `postern revoke`, checked: every value's form, before a file is read. Pure. */
import type { Transport } from '../client/letmein-line.js'
import { quote } from '../config/error.js'
import type { KnockProtocol } from '../config/types.js'
import { canonicalAddress, type Family, type IpAddress } from '../wire/address.js'
import type { FwknopPort } from '../wire/fwknop-types.js'
import { parseId, type ResourceId, type UserId } from '../wire/ids.js'
import { milliseconds, wholeSeconds } from './duration.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

const MAX_U32 = 0xffffffff
const WAIT_TIMEOUT_MS = 10_000
/** With --wait a lost datagram need not be waited out: it is sent again a second later. */
const TRIES_WITH_WAIT = 3
const PROTOCOLS = ['spa', 'letmein', 'auto', 'fwknop'] as const
/** What letmein's exchange has no words for, or does by itself. */
const SPA_OPTIONS = ['lifetime', 'address', 'extend', 'single', 'tries', 'realm']
/** What says something about fwknop's packet alone; lib/cli/fwknop-arguments.ts reads them. */
export const FWKNOP_OPTIONS = ['fwknoprc', 'stanza', 'spoof-user', 'source-port', 'time-offset']
/** Which address, in fwknop's words: the datagram's source, this machine's own, what a web service says. */
const ALLOW_WORDS = ['source', 'auto', 'resolve'] as const
export type AllowWord = (typeof ALLOW_WORDS)[number]

export interface KnockArguments {
  readonly host?: string
  readonly ports: readonly number[]
  /** Resources by their names. */
  readonly names: readonly string[]
  /** The same in fwknop's words, `tcp/22`; a bare number is TCP. */
  readonly access: readonly FwknopPort[]
  /** The first PORT that names its protocol, as only fwknop's may. */
  readonly prefixedPort?: string
  readonly user?: UserId
  readonly resource?: ResourceId
  readonly lifetimeSeconds: number
  readonly address?: IpAddress
  readonly allowWord?: AllowWord
  readonly families: readonly Family[]
  /** Both were named. */
  readonly isEveryFamilyWanted: boolean
  readonly protocol?: KnockProtocol
  readonly transport?: Transport
  /** Options of postern's own datagram that were given. */
  readonly spaOptions: readonly string[]
  /** Options of fwknop's packet that were given. */
  readonly fwknopOptions: readonly string[]
  readonly controlPort?: number | 'any'
  readonly tries: number
  readonly waitMs?: number
  readonly single: boolean
  readonly extend: boolean
  readonly realm?: string
  /** The port is not only looked at: the connection that finds it open is kept. */
  readonly connects?: boolean
}

/**
 * The arguments meant. `hasHost`: the environment names a host, so a first word of digits is a port. `command`: whose they are.
 * Throws UsageError.
 */
export function knockArguments(
  args: Arguments,
  hasHost: boolean,
  command: 'knock' | 'revoke' | 'connect' | 'keepalive' | 'doctor' = 'knock',
): KnockArguments {
  const [first, ...others] = args.positionals
  const hostGiven = first !== undefined && !(hasHost && /^(\w+\/)?\d+$/.test(first))
  const orStanza = textOf(args, 'protocol') === 'fwknop' ? ', or -n NAME, a stanza of .fwknoprc' : ''
  if (!hostGiven && !hasHost) throw new UsageError(`HOST is missing: expected HOST PORT${orStanza}`)
  const words = hostGiven ? others : args.positionals
  const doubled = words.find((word, i) => words.indexOf(word) < i)
  if (doubled !== undefined) throw new UsageError(`${quote(doubled)} is here twice: expected each port and name once`)
  const names = words.filter(isResourceName)
  const access = words.filter((text) => !isResourceName(text)).map(portOf)
  const optional = {
    prefixedPort: words.find((word) => word.includes('/')),
    allowWord: ALLOW_WORDS.find((word) => word === textOf(args, 'address')),
    host: hostGiven ? hostOf(first) : undefined,
    user: idOf(args, 'user'),
    resource: idOf(args, 'resource'),
    address: addressOf(args),
    controlPort: controlPortOf(args),
    waitMs: waitMsOf(args),
    realm: textOf(args, 'realm'),
    protocol: protocolOf(args),
    // As letmein does it: with both it is TCP.
    transport: isGiven(args, 'tcp') ? ('tcp' as const) : isGiven(args, 'udp') ? ('udp' as const) : undefined,
  }
  const checked: KnockArguments = {
    ...present(optional),
    ports: [...new Set(access.map(({ port }) => port))],
    access,
    names: [...new Set(names)],
    lifetimeSeconds: lifetimeOf(args),
    families: familiesOf(args),
    isEveryFamilyWanted: isGiven(args, 'ipv4') && isGiven(args, 'ipv6'),
    spaOptions: SPA_OPTIONS.filter((name) => isGiven(args, name)),
    fwknopOptions: FWKNOP_OPTIONS.filter((name) => isGiven(args, name)),
    tries: triesOf(args, optional.waitMs !== undefined),
    single: isGiven(args, 'single'),
    extend: isGiven(args, 'extend'),
  }
  checkTogether(checked, command)
  return checked
}

/** What one option alone cannot tell. */
function checkTogether(asked: KnockArguments, command: string): void {
  const { ports, names, resource, single, extend, lifetimeSeconds } = asked
  if (ports.length + names.length === 0 && command === 'connect')
    throw new UsageError('PORT is missing: expected HOST PORT')
  if (names.length > 0 && resource !== undefined)
    throw new UsageError(`--resource with the resource ${names[0]}: expected one of them`)
  if (ports.length > 1 && resource !== undefined) {
    throw new UsageError(`--resource with ${ports.length} ports: expected one port, as it names one resource`)
  }
  if (single && (extend || lifetimeSeconds > 0 || asked.address !== undefined || asked.allowWord !== undefined)) {
    throw new UsageError(
      '--single: expected without --extend, --lifetime and --address, which no instant datagram can say',
    )
  }
}

/** A word that can be no port: the name of a resource, as [RESOURCES] gives it. */
function isResourceName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(text)
}

/** `22`, `tcp/22`, `udp/53`. */
function portOf(text: string): FwknopPort {
  const [, protocol = 'tcp', port] = /^(?:(tcp|udp)\/)?(.*)$/s.exec(text)!
  return {
    protocol: protocol as FwknopPort['protocol'],
    port: whole('PORT', port!, 1, 65_535, ', or a resource’s name'),
  }
}

function hostOf(text: string): string {
  if (/^\d+$/.test(text)) throw new UsageError(`HOST ${quote(text)}: expected a name or an address before the port`)
  if (!/^[^\s/]{1,255}$/.test(text)) throw new UsageError(`HOST ${quote(text)}: expected a name or an address`)
  return text
}

/** The id that an option gives, or undefined where it is not given. Throws UsageError. */
export function idOf(args: Arguments, option: 'user' | 'resource'): number | undefined {
  const text = textOf(args, option)
  if (text === undefined) return undefined
  const id = parseId(text)
  if (id === undefined) throw new UsageError(`--${option} ${quote(text)}: expected 1–8 hex digits, like 0000002A`)
  return id
}

function addressOf(args: Arguments): IpAddress | undefined {
  const text = textOf(args, 'address')
  if (text === undefined || (ALLOW_WORDS as readonly string[]).includes(text)) return undefined
  const address = canonicalAddress(text)
  if (address === undefined || address === '::' || address === '0.0.0.0') {
    throw new UsageError(`--address ${quote(text)}: expected an IPv4 or IPv6 address, like 192.0.2.7, or auto`)
  }
  return address
}

function familiesOf(args: Arguments): Family[] {
  const four = isGiven(args, 'ipv4')
  const six = isGiven(args, 'ipv6')
  return four === six ? [4, 6] : four ? [4] : [6]
}

function controlPortOf(args: Arguments): number | 'any' | undefined {
  const text = textOf(args, 'port')
  if (text === undefined || text === 'any') return text
  return whole('--port', text, 1, 65_535, ', or any')
}

function protocolOf(args: Arguments): KnockProtocol | undefined {
  const text = textOf(args, 'protocol')
  const protocol = PROTOCOLS.find((name) => name === text)
  if (text !== undefined && protocol === undefined)
    throw new UsageError(`--protocol ${quote(text)}: expected ${PROTOCOLS.join(', ')}`)
  return protocol
}

function lifetimeOf(args: Arguments): number {
  const text = textOf(args, 'lifetime')
  return text === undefined ? 0 : wholeSeconds('--lifetime', text, { least: 1, greatest: MAX_U32 })
}

function waitMsOf(args: Arguments): number | undefined {
  const text = textOf(args, 'timeout')
  if (!isGiven(args, 'wait')) {
    if (text !== undefined) throw new UsageError('--timeout without --wait: it is how long --wait waits')
    return undefined
  }
  return text === undefined ? WAIT_TIMEOUT_MS : milliseconds('--timeout', text, { least: 0.1, greatest: 86_400 })
}

function triesOf(args: Arguments, waits: boolean): number {
  const text = textOf(args, 'tries')
  if (text === undefined) return waits ? TRIES_WITH_WAIT : 1
  return whole('--tries', text, 1, 100)
}

/** The number, if it is a whole one within the bounds. Throws UsageError. */
export function whole(option: string, text: string, least: number, greatest: number, also = ''): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : undefined
  if (number === undefined || number < least || number > greatest) {
    throw new UsageError(`${option} ${quote(text)}: expected ${least}–${greatest}${also}`)
  }
  return number
}

/** The object without what is undefined. */
function present<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
