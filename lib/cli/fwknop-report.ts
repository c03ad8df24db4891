/** What a knock by fwknop's packet has to tell: a sentence for people, an object for programs. Pure. */
import type { Outcome } from '../client/perform.js'
import type { FwknopPort } from '../wire/fwknop-types.js'
import { openAt, openSentence, placeOf, reached } from './knock-report.js'
import type { Told } from './told.js'

export interface FwknopReport {
  readonly host: string
  readonly username: string
  /** What the server will open: a port that is led elsewhere is another than the one asked for. */
  readonly ports: readonly FwknopPort[]
  readonly outcome: Outcome
  readonly waitMs?: number
  /** Where the keys were found: `~/.fwknoprc [gate]`. */
  readonly keysFrom: string
  readonly warnings: readonly string[]
}

/** All of it. */
export function tellFwknop(report: FwknopReport): Told {
  const { host, ports, outcome, waitMs, warnings } = report
  const isDone = waitMs === undefined || stillShut(report).length === 0
  const what = ports.map(portText).join(', ')
  const sent = [`knocked by fwknop's packet for ${what} at ${placeOf(host, outcome)}`]
  const open = [...outcome.opened.values()].map((opened) => openSentence(host, opened))
  return {
    isDone,
    success: isDone ? (waitMs === undefined ? sent : open) : [],
    failure: isDone ? '' : failure(report),
    warnings,
    alarms: [],
    json: toJson(report),
  }
}

function failure(report: FwknopReport): string {
  const { host, outcome, waitMs = 0, keysFrom } = report
  const ports = stillShut(report).map(({ port }) => port)
  const which = ports.length === 1 ? `port ${ports[0]} of ${host} is` : `ports ${ports.join(', ')} of ${host} are`
  return (
    `${which} still shut ${waitMs / 1000} s after the knock at ${reached(outcome)}: look at the server's log for this knock ` +
    `(fwknopd says most with -v); if there is none, compare ${keysFrom} with its access.conf: KEY, HMAC_KEY, HMAC_DIGEST_TYPE, ` +
    'ENCRYPTION_MODE, OPEN_PORTS and SOURCE; then both clocks, --port and the way there'
  )
}

function toJson({ host, username, ports, outcome, waitMs, warnings }: FwknopReport): object {
  const failed = outcome.sendings.flatMap(({ error, outgoing }) =>
    error ? [{ address: outgoing.to.address, error: error.code ?? error.message }] : [],
  )
  return {
    operation: 'open',
    protocol: 'fwknop',
    host,
    user: username,
    addresses: outcome.destinations.map(({ address }) => address),
    sent: outcome.sendings.length - failed.length,
    failed,
    knocks: ports.map(({ protocol, port }) => ({
      port,
      protocol,
      ...(waitMs !== undefined && protocol === 'tcp' && { open: openAt(outcome.opened, port) }),
    })),
    warnings,
  }
}

function stillShut({ ports, outcome }: FwknopReport): FwknopPort[] {
  return ports.filter(({ protocol, port }) => protocol === 'tcp' && !outcome.opened.has(port))
}

function portText({ protocol, port }: FwknopPort): string {
  return `${protocol}/${port}`
}
