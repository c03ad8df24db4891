/** What a knock by postern's own datagram has to tell: a sentence for people, an object for programs. Pure. */
import type { Outcome, Unnamed } from '../client/perform.js'
import type { Opened } from '../client/watch.js'
import type { Operation } from '../gate/verdict.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import type { Told } from './told.js'

/** A knock's subject: the port asked about, and the resource that stands for it. */
export interface Subject {
  readonly resource: ResourceId
  readonly port?: number
}

export interface Report {
  readonly host: string
  readonly operation: Operation
  readonly user: UserId
  readonly subjects: readonly Subject[]
  readonly outcome: Outcome
  /** Ports that were waited for; none: nothing was. */
  readonly waitMs?: number
  readonly warnings: readonly string[]
}

/** All of it. */
export function tellKnock(report: Report): Told {
  const done = isDone(report)
  return {
    isDone: done,
    success: done ? success(report) : [],
    failure: done ? '' : failure(report),
    warnings: report.warnings,
    alarms: [],
    json: toJson(report),
  }
}

/** Whether all that was asked for is there: with --wait every port open, else always. */
function isDone({ waitMs, subjects, outcome }: Report): boolean {
  return waitMs === undefined || stillShut(subjects, outcome).length === 0
}

/** The sentences of a knock that went well. */
function success(report: Report): string[] {
  const { host, operation, subjects, outcome, waitMs } = report
  if (waitMs === undefined) {
    const what = subjects.map(nameOf).join(', ')
    const verb = { open: 'knocked for', extend: 'asked to prolong', revoke: 'asked to shut' }[operation]
    return [`${verb} ${what} at ${placeOf(host, outcome)}`]
  }
  return [...outcome.opened.values()].map((opened) => openSentence(host, opened))
}

/** `port 22 of gate is open (192.0.2.1, after 5 ms)`. */
export function openSentence(host: string, { port, to, afterMs }: Opened): string {
  return `port ${port} of ${host} is open (${to.address}, after ${Math.round(afterMs)} ms)`
}

/** The sentence for ports that stayed shut. */
function failure({ host, subjects, outcome, waitMs = 0 }: Report): string {
  const ports = stillShut(subjects, outcome).map(({ port }) => port)
  const which = ports.length === 1 ? `port ${ports[0]} of ${host} is` : `ports ${ports.join(', ')} of ${host} are`
  return (
    `${which} still shut ${waitMs / 1000} s after the knock at ${reached(outcome)}: ` +
    `postern doctor ${host} looks for the cause; on the server posternd log says whether this knock opened (does a program listen on the port?) ` +
    'or was refused, and why; if neither, it did not arrive, or bears another key or realm'
  )
}

/** What is said where `--address auto` named none. A destination without a way there is told among those not reached. */
export function unnamedWarnings(unnamed: readonly Unnamed[]): string[] {
  return unnamed.flatMap(({ to, source }) => {
    if (source === undefined) return []
    const why = `this machine's address towards ${to.address} is ${source}`
    return [
      `--address auto: ${why}, which others may not see (NAT): it was not named, so the one that the server sees counts`,
    ]
  })
}

/** The one object of --json. */
function toJson({ host, operation, user, subjects, outcome, waitMs, warnings }: Report): object {
  const failed = outcome.sendings.flatMap(({ error, outgoing }) =>
    error ? [{ address: outgoing.to.address, error: error.code ?? error.message }] : [],
  )
  return {
    operation,
    host,
    user: formatId(user),
    addresses: outcome.destinations.map(({ address }) => address),
    sent: outcome.sendings.length - failed.length,
    failed,
    knocks: subjects.map(({ resource, port }) => ({
      resource: formatId(resource),
      ...(port !== undefined && { port }),
      ...(waitMs !== undefined && { open: openAt(outcome.opened, port) }),
    })),
    warnings,
  }
}

function stillShut(subjects: readonly Subject[], { opened }: Outcome): Subject[] {
  return subjects.filter(({ port }) => port !== undefined && !opened.has(port))
}

/** Where and when a port was found open, for programs. */
export function openAt(
  opened: Outcome['opened'],
  port: number | undefined,
): { address: string; afterMs: number } | null {
  const found = port === undefined ? undefined : opened.get(port)
  return found ? { address: found.to.address, afterMs: Math.round(found.afterMs) } : null
}

/** `port 22`, or `resource 00000022`. */
export function nameOf({ resource, port }: Subject): string {
  return port === undefined ? `resource ${formatId(resource)}` : `port ${port}`
}

/** The host, and its addresses where they say more than it does. */
export function placeOf(host: string, outcome: Outcome): string {
  const addresses = reached(outcome)
  return addresses === host ? host : `${host} (${addresses})`
}

/** The addresses knocked at, and those that could not be, with their reason. */
export function reached({ sendings, destinations }: Outcome): string {
  const failed = new Map(sendings.flatMap(({ error, outgoing }) => (error ? [[outgoing.to, error] as const] : [])))
  return destinations
    .map((to) => (failed.has(to) ? `not ${to.address}: ${failed.get(to)!.code}` : to.address))
    .join(', ')
}
