/** Which host, key and resources a knock's arguments mean, with what file and environment say. Pure. */
import type { Identity } from '../client/knock.js'
import { ConfigError } from '../config/error.js'
import { covers, rangeWords } from '../config/ports.js'
import { portsOf } from '../config/resources.js'
import type { ClientConfig, KnockProtocol, Resource } from '../config/types.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import type { KnockArguments } from './knock-arguments.js'
import { portOf, resourceNamed, sourceFor } from './knock-names.js'
import { type LetmeinPlan, letmeinPlan, probePortOf, protocolFor } from './knock-protocol.js'
import type { Subject } from './knock-report.js'
import { knownWords } from './known.js'
import { UsageError } from './usage.js'

/** What is known beside the command line. */
export interface Source {
  readonly config: ClientConfig
  /** How messages name the file; also where it would be, if there is none. */
  readonly file: string
  /** Of the environment. */
  readonly host?: string
  readonly user?: UserId
  /** Of a key file, which may name its user. */
  readonly key?: { readonly bytes: Uint8Array; readonly user?: UserId }
  readonly warnings: readonly string[]
}

export interface PlannedSubject extends Subject {
  readonly instant: boolean
  /** A TCP port by which it can be seen whether it is open, at no cost. */
  readonly probePort?: number
}

export interface Plan {
  readonly protocol: Exclude<KnockProtocol, 'fwknop'>
  readonly host: string
  readonly identity: Identity
  /** Of postern's own datagram. */
  readonly controlPort: number | 'any'
  /** Of letmein's exchange. */
  readonly letmein: LetmeinPlan
  readonly subjects: readonly PlannedSubject[]
}

/** Throws ConfigError where file and environment do not say enough, UsageError where an option cannot work. */
export function planKnock(asked: KnockArguments, known: Source): Plan {
  const { source, address } = sourceFor(known, (asked.host ?? known.host)!)
  const { config } = source
  const protocol = protocolFor(asked, config)
  if (protocol === 'fwknop')
    throw new UsageError('--protocol fwknop: expected with postern knock, connect and keepalive alone')
  const user = asked.user ?? source.user ?? source.key?.user ?? config.defaultUser
  const identity = { user, key: keyOf(user, source), realm: asked.realm ?? config.realm }
  const named = asked.names.map((name) => resourceNamed(name, user, source))
  const wanted = [
    ...asked.ports.map((port) => ({ id: asked.resource ?? resourceFor(port, user, source).id, port })),
    ...named.map((resource) => ({ id: resource.id, port: portOf(resource, asked.waitMs !== undefined) })),
  ]
  if (wanted.length === 0) wanted.push({ id: asked.resource!, port: undefined })
  const subjects = wanted.map(({ id, port }) => {
    const resource = config.resources.get(id)
    if (asked.connects) checkCanBeConnected(id, resource)
    else if (asked.waitMs !== undefined) checkCanBeProbed(id, resource)
    const probePort = asked.connects ? port : resource && probePortOf(resource, port)
    return {
      resource: id,
      instant: resource?.instant ?? false,
      ...(port !== undefined && { port }),
      ...(probePort !== undefined && { probePort }),
    }
  })
  return {
    protocol,
    host: address,
    identity,
    controlPort: asked.controlPort ?? config.spaPort ?? config.port.udp,
    letmein: letmeinPlan(asked, config, protocol),
    subjects,
  }
}

function keyOf(user: UserId, { config, file, key }: Source): Uint8Array {
  const found = key?.bytes ?? config.users.get(user)
  if (found !== undefined) return found
  const known = [...config.users.keys()].map(formatId)
  const has = known.length > 0 ? `it has keys for ${knownWords(known)}): ` : 'it has none): use postern add, or '
  throw missing(
    source(file, config),
    `no key for user ${formatId(user)} (${has}add "${formatId(user)} = KEY" to [KEYS], or use --key-file, --user or [CLIENT] default-user`,
  )
}

/** The resource that the file says a port belongs to, for this user. */
function resourceFor(port: number, user: UserId, { config, file }: Source): Resource {
  const all = [...config.resources.values()]
  const fitting = all.filter((resource) => covers(resource, port))
  const allowed = fitting.find(({ users }) => users === undefined || users.includes(user))
  if (allowed !== undefined) return allowed
  const [refused] = fitting
  if (refused !== undefined) {
    throw missing(
      source(file, config),
      `resource ${formatId(refused.id)} (port ${port}) is not for user ${formatId(user)}: add the user to its users:, or knock as another by --user`,
      refused.line,
    )
  }
  const mapped = all.flatMap(portsOf).map(rangeWords)
  throw missing(
    source(file, config),
    `no resource for port ${port} (${mapped.length > 0 ? `it maps ${knownWords(mapped)}` : 'it maps none'}): ` +
      `add "${formatId(unusedId(port, config))} = port: ${port}" to [RESOURCES], with the id that the server has for it, or name it by --resource ID`,
  )
}

/** Refuses --wait where no TCP connection could tell, or where the probing itself would use the lease up. */
function checkCanBeProbed(id: ResourceId, resource: Resource | undefined): void {
  if (resource === undefined) return
  if (resource.target.kind === 'ports' && !resource.target.protocols.includes('tcp')) {
    throw new UsageError(`--wait: resource ${formatId(id)} is UDP, which cannot be probed: leave --wait out`)
  }
  if (resource.connections > 0) {
    throw new UsageError(
      `--wait: a lease of resource ${formatId(id)} lets in ${resource.connections} at most, and a probe is one: leave --wait out`,
    )
  }
}

/** A connection that is kept may well use the lease up. */
function checkCanBeConnected(id: ResourceId, resource: Resource | undefined): void {
  if (resource?.target.kind === 'ports' && !resource.target.protocols.includes('tcp'))
    throw new UsageError(`resource ${formatId(id)} is UDP: expected a TCP port to connect to`)
}

/** An id that reads like the port (22 → 00000022) and is still free. */
function unusedId(port: number, { resources }: ClientConfig): ResourceId {
  let id = Number.parseInt(String(port), 16)
  while (resources.has(id)) id++
  return id
}

function source(file: string, config: ClientConfig): string {
  return config.file === undefined ? `${file} (not there)` : file
}

function missing(file: string, message: string, line = 0): ConfigError {
  return new ConfigError([{ file, line, message }])
}
