/**
 * A host of the client's file, for programs: what `postern knock HOST PORT` would go by, without an environment of its own
 * (docs/CONFIGURATION.md). Reads the file, and nothing else; by postern's own datagram, whatever protocol the file names.
 */
import { ConfigError } from '../config/error.js'
import { loadClientConfig } from '../config/files.js'
import { configFor, hostNamed } from '../config/hosts.js'
import { covers } from '../config/ports.js'
import type { ClientConfig, Resource } from '../config/types.js'
import { formatId } from '../wire/ids.js'

/** Of one host and one of its ports: where, who, and for what. */
export interface ConfiguredKnock {
  readonly host: string
  /** The TCP port that was named, or that the named resource has. */
  readonly port: number
  readonly resource: number
  readonly user: number
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly realm: string
  readonly controlPort: number | 'any'
  readonly instant: boolean
}

/**
 * What the file says. `host`: a [HOST NAME], or any host where the file has [KEYS]. `portOrName`: a port that a resource covers, or
 * a resource's name. `file`: where none is said, the one that `postern knock` reads. Throws ConfigError: `config` (it does not say
 * enough), `missing`, `permission`.
 */
export function fromConfig(host: string, portOrName: number | string, file?: string): ConfiguredKnock {
  const whole = loadClientConfig(file)
  const { config, address } = configFor(whole, host)
  const refuse = (message: string, line = 0): never => {
    throw new ConfigError([{ file: whole.file ?? 'postern.conf', line, message }])
  }
  const user = config.defaultUser
  const key = config.users.get(user) ?? refuse(whyNoKey(whole, host, user))
  const resource = resourceFor(config, portOrName) ?? refuse(`no resource for ${JSON.stringify(portOrName)} of ${host}`)
  const port = typeof portOrName === 'number' ? portOrName : soleTcpPort(resource)
  return {
    host: address,
    port: port ?? refuse(`resource ${resource.name}: expected one TCP port: name the port`, resource.line),
    resource: resource.id,
    user,
    key,
    realm: config.realm,
    controlPort: config.spaPort ?? config.port.udp,
    instant: resource.instant,
  }
}

function whyNoKey(config: ClientConfig, host: string, user: number): string {
  return hostNamed(config, host) === undefined
    ? `no [HOST ${host}], and no key for user ${formatId(user)} in [KEYS]`
    : `[HOST ${host}] has no key`
}

function resourceFor({ resources }: ClientConfig, portOrName: number | string): Resource | undefined {
  const all = [...resources.values()]
  if (typeof portOrName === 'string') return all.find(({ name }) => name === portOrName)
  return all.find((resource) => covers(resource, portOrName))
}

function soleTcpPort({ target }: Resource): number | undefined {
  if (target.kind !== 'ports' || !target.protocols.includes('tcp') || target.ports.length !== 1) return undefined
  const { first, last } = target.ports[0]!
  return first === last ? first : undefined
}
