/** What one host's words mean for keepalive, with what file and environment say. Pure. */
import { type Rhythm, rhythmOfLease, rhythmOfPeriod } from '../client/keepalive-schedule.js'
import { literalOf } from '../client/resolve.js'
import { ConfigError } from '../config/error.js'
import { portsOf } from '../config/resources.js'
import type { PortRange } from '../config/types.js'
import { formatId } from '../wire/ids.js'
import { wholeSeconds } from './duration.js'
import { fwknopArguments } from './fwknop-arguments.js'
import { type KnockArguments, knockArguments } from './knock-arguments.js'
import { sourceFor } from './knock-names.js'
import { type Plan, type PlannedSubject, planKnock, type Source } from './knock-plan.js'
import { protocolFor } from './knock-protocol.js'
import { nameOf } from './knock-report.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

export interface Task {
  /** `port 22 of gate`. */
  readonly name: string
  readonly asked: KnockArguments
  readonly way: { readonly kind: 'planned'; readonly plan: Plan } | FwknopWay
  /** Where it is knocked at. */
  readonly address: string
  /** Undefined for one knock only. */
  readonly rhythm?: Rhythm
  /** As far as it is known. */
  readonly leaseMs?: number
  /** Prolongs only while there is a connection to one of these ports. */
  readonly whileConnected?: readonly PortRange[]
}

/** fwknop's packet, whose keys and settings are read at each knock. */
export interface FwknopWay {
  readonly kind: 'fwknop'
  readonly args: Arguments
  readonly host: string
}

const LEAST_EVERY_S = 1
const MOST_EVERY_S = 24 * 86_400

/**
 * The task. `isOnce`: how long a lease is does not matter. Throws UsageError, and ConfigError where the configuration does not
 * say enough.
 */
export function taskOf(
  args: Arguments,
  source: Source,
  { isOnce, hasHost }: { isOnce: boolean; hasHost: boolean },
): Task {
  const everyMs = everyOf(args)
  const isBound = isGiven(args, 'while-connected')
  const plain = knockArguments(args, hasHost, 'keepalive')
  const host = (plain.host ?? source.host)!
  const { source: own, address } = sourceFor(source, host)
  const protocol = protocolFor(plain, own.config)
  if (isBound && protocol !== 'spa' && protocol !== 'auto')
    throw new UsageError(
      `--while-connected: ${protocol} cannot prolong without opening: leave it out, or add --protocol spa`,
    )
  refuseOtherFamily(address, plain)
  const rhythmFor = (leaseMs: number | undefined) =>
    isOnce ? {} : { rhythm: everyMs === undefined ? rhythmOfLease(leaseMs!) : rhythmOfPeriod(everyMs) }
  if (protocol === 'fwknop') {
    // At once: what is wrong here is wrong at each knock.
    fwknopArguments(args, plain, 'open')
    const leaseMs = plain.lifetimeSeconds > 0 ? plain.lifetimeSeconds * 1000 : undefined
    if (!isOnce && everyMs === undefined && leaseMs === undefined)
      throw new UsageError(`${host}: how long fwknop's port stays open is not known: use --lifetime 10m or --every 4m`)
    const name = `${args.positionals.slice(plain.host === undefined ? 0 : 1).join(', ')} of ${host}`
    return { name, asked: plain, address, way: { kind: 'fwknop', args: knockWords(args), host }, ...rhythmFor(leaseMs) }
  }
  const asked = isBound
    ? knockArguments({ ...args, values: { ...args.values, extend: true } }, hasHost, 'keepalive')
    : plain
  const plan = planKnock(asked, source)
  const leaseMs = leaseOf(plan.subjects, asked, own)
  if (!isOnce && everyMs === undefined && leaseMs === undefined) throw unknownLease(plan.subjects, own)
  return {
    name: `${plan.subjects.map(nameOf).join(', ')} of ${host}`,
    asked,
    address,
    way: { kind: 'planned', plan },
    ...rhythmFor(leaseMs),
    ...(leaseMs !== undefined && { leaseMs }),
    ...(isBound && { whileConnected: connectablePorts(plan.subjects, own) }),
  }
}

/** Without what is keepalive's own. */
function knockWords({ positionals, values }: Arguments): Arguments {
  const { every: _, 'while-connected': __, ...rest } = values
  return { positionals, values: rest }
}

function everyOf(args: Arguments): number | undefined {
  const text = textOf(args, 'every')
  return text === undefined
    ? undefined
    : 1000 * wholeSeconds('--every', text, { least: LEAST_EVERY_S, greatest: MOST_EVERY_S })
}

/** What would fail for ever is refused at once. */
function refuseOtherFamily(host: string, { families }: KnockArguments): void {
  const literal = literalOf(host)
  if (literal !== undefined && !families.includes(literal.family))
    throw new UsageError(`${host} is an IPv${literal.family} address: leave -${families[0]} out`)
}

/** How long the shortest of the leases is, which the file says as the server's does; undefined where one of them is not known. */
function leaseOf(
  subjects: readonly PlannedSubject[],
  { lifetimeSeconds }: KnockArguments,
  { config }: Source,
): number | undefined {
  const wantedMs = lifetimeSeconds > 0 ? lifetimeSeconds * 1000 : undefined
  const all = subjects.map(({ resource: id }) => {
    const resource = config.resources.get(id)
    if (!resource?.saysTimeout) return wantedMs
    return wantedMs === undefined ? resource.timeoutMs : Math.min(wantedMs, resource.maxTimeoutMs)
  })
  const known = all.filter((ms) => ms !== undefined)
  return known.length < all.length ? undefined : Math.min(...known)
}

function unknownLease(subjects: readonly PlannedSubject[], { config, file }: Source): ConfigError {
  const silent = subjects.find(({ resource: id }) => !config.resources.get(id)?.saysTimeout)!
  const resource = config.resources.get(silent.resource)
  const cure =
    resource === undefined
      ? ''
      : `add "timeout: SECONDS" to resource ${formatId(resource.id)}, as the server's file has it, or `
  const message = `${nameOf(silent)}: how long a lease lasts is not known: ${cure}use --lifetime 10m or --every 4m`
  return new ConfigError([{ file: config.file ?? file, line: resource?.line ?? 0, message }])
}

/** Where a connection has to be: at the resource's ports, or at those that were named. */
function connectablePorts(subjects: readonly PlannedSubject[], { config }: Source): PortRange[] {
  return subjects.flatMap(({ resource: id, port }) => {
    const resource = config.resources.get(id)
    const ranges = resource === undefined ? [] : portsOf(resource)
    if (ranges.length > 0) return ranges
    if (port !== undefined) return [{ first: port, last: port }]
    throw new UsageError(`--while-connected: the ports of resource ${formatId(id)} are not known: name one, like 22`)
  })
}
