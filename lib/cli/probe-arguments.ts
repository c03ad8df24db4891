/** The arguments of `postern probe`, checked. Pure. */
import { quote } from '../config/error.js'
import type { GuardedPort } from '../stealth/targets.js'
import type { Family } from '../wire/address.js'
import { parseId, type UserId } from '../wire/ids.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

const KNOCK_PORT = 5800
const SSH: GuardedPort = { protocol: 'tcp', port: 22 }
/** Each costs a second or two where its host limits its answers. */
const MOST_PORTS = 8

export interface ProbeArguments {
  readonly host: string
  readonly guarded: readonly GuardedPort[]
  readonly knockPort: number
  readonly user: UserId
  readonly families: readonly Family[]
}

/** The arguments meant. Throws UsageError. */
export function probeArguments(args: Arguments): ProbeArguments {
  const [host, ...ports] = args.positionals
  if (host === undefined || host === '') throw new UsageError('expected postern probe HOST [PORT…]')
  if (ports.length > MOST_PORTS) throw new UsageError(`${ports.length} ports: expected ${MOST_PORTS} at most`)
  const doubled = ports.find((port, i) => ports.indexOf(port) < i)
  if (doubled !== undefined) throw new UsageError(`PORT ${quote(doubled)} is here twice: expected each once`)
  const userText = textOf(args, 'user') ?? '00000000'
  const user = parseId(userText)
  if (user === undefined) throw new UsageError(`--user ${quote(userText)}: expected 1 to 8 hexadecimal digits`)
  const v4 = isGiven(args, 'ipv4')
  const v6 = isGiven(args, 'ipv6')
  return {
    host,
    guarded: ports.length === 0 ? [SSH] : ports.map(guardedPort),
    knockPort: portOf('--port', textOf(args, 'port') ?? String(KNOCK_PORT)),
    user,
    families: v4 === v6 ? [4, 6] : [v4 ? 4 : 6],
  }
}

/** `22`, `22/tcp`, `51820/udp`. */
function guardedPort(text: string): GuardedPort {
  const [, port, protocol = 'tcp'] = /^(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? []
  if (port === undefined) throw new UsageError(`PORT ${quote(text)}: expected 1–65535, or as 51820/udp`)
  return { port: portOf('PORT', port), protocol: protocol === 'udp' ? 'udp' : 'tcp' }
}

function portOf(what: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 0xffff) throw new UsageError(`${what} ${quote(text)}: expected 1–65535`)
  return port
}
