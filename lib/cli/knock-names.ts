/** What the words of a command line mean that are no ports: hosts and resources by the names that the client's file gives. Pure. */
import { ConfigError } from '../config/error.js'
import { configFor, hostNamed } from '../config/hosts.js'
import { didYouMean } from '../config/nearest.js'
import type { Resource } from '../config/types.js'
import { formatId, type UserId } from '../wire/ids.js'
import type { Source } from './knock-plan.js'
import { UsageError } from './usage.js'

/** The source as it is for one host, and where that is knocked at. Throws ConfigError where the file has hosts and nothing for this one. */
export function sourceFor(source: Source, host: string): { readonly source: Source; readonly address: string } {
  const { config, file, key } = source
  if (hostNamed(config, host) === undefined && config.hosts.size > 0 && config.users.size === 0 && key === undefined) {
    const names = [...config.hosts.values()].map(({ name }) => name)
    const hint = didYouMean(host, names)
    const orElse = hint === '' ? ':' : `${hint} Else`
    throw new ConfigError([
      {
        file,
        line: 0,
        message: `no [HOST ${host}] and no [KEYS]; it knows ${names.join(', ')}${orElse} postern add takes the line that posternd enroll prints`,
      },
    ])
  }
  const { config: own, address } = configFor(config, host)
  return { source: { ...source, config: own }, address }
}

/** The resource of this name, as this user may open it. Throws ConfigError. */
export function resourceNamed(name: string, user: UserId, { config, file }: Source): Resource {
  const named = [...config.resources.values()].find((resource) => resource.name === name)
  if (named !== undefined && (named.users === undefined || named.users.includes(user))) return named
  const names = [...config.resources.values()].flatMap((resource) => resource.name ?? [])
  const has = names.length > 0 ? `it names ${names.join(', ')}` : 'it names none'
  const message =
    named === undefined
      ? `no resource "${name}" (${has})${didYouMean(name, names)}: add "name: ${name}" to its line, or name its port`
      : `resource ${name} is not for user ${formatId(user)}: add the user to its users:, or knock as another by --user`
  throw new ConfigError([{ file, line: named?.line ?? 0, message }])
}

/** The one port of a resource that was named; undefined where it has several or none. Throws UsageError where one is to be waited for. */
export function portOf({ name, target }: Resource, isWaitedFor: boolean): number | undefined {
  const [range, more] = target.kind === 'ports' ? target.ports : []
  if (range !== undefined && more === undefined && range.first === range.last) return range.first
  if (isWaitedFor) throw new UsageError(`--wait: resource ${name} is not one port: name the port to wait for`)
  return undefined
}
