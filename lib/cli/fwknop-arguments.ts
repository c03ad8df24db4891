/** What `postern knock` is told about fwknop's packet: each option's form, and what fwknop has no words for. Pure. */
import { isFwknopAddress } from '../client/fwknop.js'
import type { FwknopAllow } from '../client/fwknop-perform.js'
import { quote } from '../config/error.js'
import type { Operation } from '../gate/verdict.js'
import { isUsername } from '../wire/fwknop-access.js'
import { MAX_TIMEOUT_SECONDS } from '../wire/fwknop-text.js'
import { type KnockArguments, whole } from './knock-arguments.js'
import { pathOf } from './knock-source.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

const UNIT_SECONDS = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 } as const
const MAX_OFFSET = 65_536

export interface FwknopArguments {
  readonly rcFile?: string
  readonly stanza?: string
  readonly username?: string
  readonly allow?: FwknopAllow
  /** `resolve` was asked for, which asks somebody else: it was taken for `source`. */
  readonly isResolved: boolean
  /** undefined: what .fwknoprc says. */
  readonly timeoutSeconds?: number
  readonly controlPort?: number | 'any'
  readonly sourcePort?: number
  readonly timeOffsetSeconds?: number
}

/** Throws UsageError. */
export function fwknopArguments(args: Arguments, asked: KnockArguments, operation: Operation): FwknopArguments {
  refuseOthers(args, operation)
  const [name] = asked.names
  if (name !== undefined)
    throw new UsageError(`PORT ${quote(name)}: expected a port, like tcp/22: fwknop's packet has no resources`)
  const { allowWord, controlPort, lifetimeSeconds } = asked
  const allow = allowOf(asked)
  return {
    ...given('rcFile', pathOf(args, 'fwknoprc')),
    ...given('stanza', textOf(args, 'stanza')),
    ...given('username', usernameOf(args)),
    ...given('allow', allow),
    isResolved: allowWord === 'resolve',
    ...given('timeoutSeconds', lifetimeSeconds === 0 ? undefined : timeoutOf(lifetimeSeconds)),
    ...given('controlPort', controlPort),
    ...given('sourcePort', sourcePortOf(args)),
    ...given('timeOffsetSeconds', timeOffsetOf(args)),
  }
}

/** What each of postern's own words would have to mean, and does not. */
const STRANGE: Readonly<Record<string, string>> = {
  extend: 'fwknop has no word for it: a further knock opens for longer',
  single: 'it is for instant resources',
  realm: 'it is of the SPA protocol',
  resource: "name ports instead, like tcp/22: fwknop's packet has no resources",
  user: 'expected --spoof-user NAME, the user name in the packet',
  'key-file': 'its keys are in ~/.fwknoprc, or in files that KEY_FILE and HMAC_KEY_FILE there name',
  tcp: 'the packet goes over UDP',
}

function refuseOthers(args: Arguments, operation: Operation): void {
  if (operation === 'revoke')
    throw new UsageError('revoke with fwknop: it has no word for it: the port is shut when its time is over')
  const strange = Object.keys(STRANGE).find((name) => isGiven(args, name))
  if (strange !== undefined) throw new UsageError(`--${strange} with --protocol fwknop: ${STRANGE[strange]}`)
}

function allowOf({ address, allowWord }: KnockArguments): FwknopAllow | undefined {
  if (allowWord !== undefined) return { kind: allowWord === 'auto' ? 'own' : 'source' }
  if (address === undefined) return undefined
  if (!isFwknopAddress(address))
    throw new UsageError(
      `--address ${address}: expected an IPv4 address, auto or source: fwknop's packet has room for IPv4 alone. For an IPv6 one ` +
        'knock from it, over IPv6 (-6), at a posternd',
    )
  return { kind: 'address', address }
}

function timeoutOf(seconds: number): number {
  if (seconds > MAX_TIMEOUT_SECONDS)
    throw new UsageError(`--lifetime: ${seconds} s: fwknop takes at most ${MAX_TIMEOUT_SECONDS} s`)
  return seconds
}

function usernameOf(args: Arguments): string | undefined {
  const name = textOf(args, 'spoof-user')
  // How long it may be is a matter of what is sent of it.
  if (name === undefined || (name !== '' && [...name].every(isUsername))) return name
  throw new UsageError(
    `--spoof-user ${quote(name)}: expected characters of ASCII, none of " / \\ [ ] : ; | = , + * ? < >`,
  )
}

function sourcePortOf(args: Arguments): number | undefined {
  const text = textOf(args, 'source-port')
  return text === undefined ? undefined : whole('--source-port', text, 1, 65_535)
}

function timeOffsetOf(args: Arguments): number | undefined {
  const text = textOf(args, 'time-offset')
  if (text === undefined) return undefined
  const [, sign, digits, unit] = /^([+-]?)([0-9]{1,5})([smhd]?)$/.exec(text) ?? []
  if (digits === undefined || Number(digits) > MAX_OFFSET)
    throw new UsageError(`--time-offset ${quote(text)}: expected [-]N with s, m, h or d, like 90 or -10m`)
  return (sign === '-' ? -1 : 1) * Number(digits) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS]
}

function given<K extends string, T>(name: K, value: T | undefined): { readonly [key in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: T }
}
