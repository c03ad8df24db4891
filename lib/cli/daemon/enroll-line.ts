/** The line that one user of this server needs, and how it is printed: alone on standard output, so that it can be piped on. */
import { hostname } from 'node:os'
import { ConfigError } from '../../config/error.js'
import type { ServerConfig } from '../../config/types.js'
import { hostName } from '../../config/values.js'
import { type EnrolledResource, encodeEnrolment } from '../../wire/enrolment.js'
import { formatId, type UserId } from '../../wire/ids.js'
import type { World } from '../command.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { MOST_QR_BYTES, qrCode } from '../qr/code.js'
import { drawQr, qrColumns } from '../qr/drawing.js'
import { UsageError } from '../usage.js'

export const LINE_OPTIONS: readonly Option[] = [
  {
    name: 'host',
    value: 'HOST',
    describe: 'where the client reaches this server',
    preset: '[SPA] host, else its realm',
  },
  { name: 'qr', describe: 'print a QR code above the line' },
]

/** Checks what the options say before anything is changed. Throws UsageError. */
export function checkHost(args: Arguments): void {
  const host = textOf(args, 'host')
  if (host !== undefined && ('misfit' in hostName(host) || /[[\]=]/.test(host)))
    throw new UsageError(`--host "${host}": expected a name or an address, like gate.example.org`)
}

/** The line of a user who has a key. Throws ConfigError where the configuration gives none. */
export function enrollLine(user: UserId, config: ServerConfig, args: Arguments): string {
  const { spa, letmein, users } = config
  if (!spa.enabled)
    throw new ConfigError([
      { file: config.file, line: 0, message: '[SPA] enabled = no: expected yes, for an enroll line is for its knock' },
    ])
  const port = spa.ports === 'any' ? 'any' : spa.ports[0]!
  return encodeEnrolment({
    host: textOf(args, 'host') ?? spa.host ?? hostOf(spa.realm),
    port,
    alsoLetmein: letmein.enabled && (letmein.ports.udp === 'any' || letmein.ports.udp.includes(port as number)),
    realm: spa.realm,
    user,
    key: users.get(user)!,
    resources: resourcesOf(user, config),
  })
}

function hostOf(realm: string): string {
  return 'value' in hostName(realm) && !/[[\]=]/.test(realm) ? realm : hostname()
}

/** What he may open, as his client needs to know it. */
function resourcesOf(user: UserId, { resources }: ServerConfig): EnrolledResource[] {
  return [...resources.values()].flatMap(({ id, name, target, users, instant, timeoutMs, connections }) => {
    if (target.kind !== 'ports' || (users !== undefined && !users.includes(user))) return []
    const { ports, protocols } = target
    const timeoutSeconds = Math.max(1, Math.floor(timeoutMs / 1000))
    return [{ id, ...(name !== undefined && { name }), ports, protocols, instant, timeoutSeconds, connections }]
  })
}

/** Prints the line on standard output and what to know about it on standard error. */
export function printLine(
  user: UserId,
  config: ServerConfig,
  args: Arguments,
  { printer }: World,
  told: readonly string[],
): void {
  const line = enrollLine(user, config, args)
  const name = config.people.get(user)?.name
  if (isGiven(args, 'json')) {
    printer.line(JSON.stringify({ user: formatId(user), ...(name !== undefined && { name }), line }))
    return
  }
  for (const sentence of told) printer.error(sentence)
  if (resourcesOf(user, config).length === 0)
    printer.error(`warning: he may open nothing yet: add ${formatId(user)} to users: of a resource in ${config.file}`)
  printer.error('The line below holds the key: whoever has it can knock. On the client: postern add, and paste it.')
  if (isGiven(args, 'qr')) printQr(line, name ?? formatId(user), printer)
  printer.line(line)
}

/** Not where it could not be scanned: the line itself still goes. */
function printQr(line: string, who: string, printer: World['printer']): void {
  if (line.length > MOST_QR_BYTES) {
    printer.error(
      `warning: no QR code: the line has ${line.length} characters, and a code holds ${MOST_QR_BYTES}; fewer resources for him (users:) make it shorter`,
    )
    return
  }
  const code = qrCode(line)
  const { isTTY, columns = 0 } = process.stdout
  // What is wrapped around no camera reads. A pipe may end anywhere: it has no width.
  if (isTTY && columns > 0 && columns < qrColumns(code)) {
    printer.error(
      `warning: no QR code: it takes ${qrColumns(code)} columns, and this terminal has ${columns}: make it wider, then posternd enroll ${who} --again --qr`,
    )
    return
  }
  printer.line(drawQr(code))
}

/** `alice (00000002)`, or `user 00000002`. */
export function nameOf(user: UserId, { people }: Pick<ServerConfig, 'people'>): string {
  const name = people.get(user)?.name
  return name === undefined ? `user ${formatId(user)}` : `${name} (${formatId(user)})`
}
