/** `postern probe`: whether a stranger can tell a server's knock port and guarded ports from its closed ones. Needs no key. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { KnockError } from '../client/error.js'
import { type Destination, resolve, unresolved } from '../client/resolve.js'
import { type Difference, differences, usualLook } from '../stealth/compare.js'
import { lookWords, type Observation, type Target } from '../stealth/look.js'
import { lookAt } from '../stealth/look-at.js'
import { mendOf } from '../stealth/mend.js'
import { type Shape, shapes } from '../stealth/shapes.js'
import { NoWayError, tryConnection, tryDatagram } from '../stealth/sockets.js'
import { closedPorts, type Question, targetsOf } from '../stealth/targets.js'
import type { Family } from '../wire/address.js'
import { formatId } from '../wire/ids.js'
import type { Command, World } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { type Arguments, isGiven } from './options.js'
import type { Printer } from './print.js'
import { type ProbeArguments, probeArguments } from './probe-arguments.js'
import { PROBE_OPTIONS } from './probe-options.js'

/** Longer than any line takes. */
const DATAGRAM_WAIT_MS = 1_000
/** A SYN, and its repetition after 1 s. */
const CONNECTION_WAIT_MS = 2_500

export const probe: Command = {
  name: 'probe',
  positionals: 'HOST [PORT…]',
  describe: 'look at a server as a stranger does: can knock port and guarded ports be told from closed ones?',
  options: PROBE_OPTIONS,
  examples: [
    ['postern probe gate.example.org', 'from a machine that has no lease there; about 5 s, some 30 packets, no key'],
    [
      'postern probe gate.example.org 22 51820/udp --port 62201',
      'guarded ports and the knock port, where they are others',
    ],
  ],
  run,
}

/** What was seen of one address. */
interface Seen {
  readonly to: Destination
  readonly observations: readonly Observation[]
  readonly differences: readonly Difference[]
}

async function run(args: Arguments, { printer, outside }: World): Promise<ExitCode> {
  const asked = probeArguments(args)
  const sent = shapes(asked.user, randomBytes)
  const question = { ...asked, shapes: sent.map(({ name }) => name) }
  const closed = closedPorts(question, Math.random)
  const found = await Promise.allSettled(resolve(asked.host, asked.families, outside.lookup))
  const destinations = oneOfEachFamily(found.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))
  if (destinations.length === 0) {
    const reasons = found.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    throw unresolved(asked.host, asked.families, reasons)
  }
  const looks = await Promise.allSettled(destinations.map((to) => lookThere(to, question, closed, sent)))
  const seen = looks.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failures = looks.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
  for (const failure of failures) if (!(failure instanceof NoWayError)) throw failure
  if (seen.length === 0) throw new KnockError('send', failures.map(({ message }) => message).join('; '))
  if (isGiven(args, 'json')) printer.line(JSON.stringify(inJson(asked, seen)))
  else inWords(asked, seen, failures, printer)
  return seen.every((one) => one.differences.length === 0) ? EXIT.ok : EXIT.failed
}

/** One address stands for all of its family. */
function oneOfEachFamily(all: readonly Destination[]): Destination[] {
  return ([4, 6] as const satisfies Family[]).flatMap((family) => all.find((to) => to.family === family) ?? [])
}

async function lookThere(
  to: Destination,
  question: Question,
  closed: readonly number[],
  sent: readonly Shape[],
): Promise<Seen> {
  const attempt = ({ protocol, port, shape }: Target) => {
    const place = { ...to, port }
    if (protocol === 'tcp') return tryConnection(place, CONNECTION_WAIT_MS)
    return tryDatagram(place, sent.find(({ name }) => name === shape)!.bytes, DATAGRAM_WAIT_MS)
  }
  const observations = await lookAt(targetsOf(to.family, question, closed), { attempt, pause })
  return { to, observations, differences: differences(observations) }
}

function inWords(asked: ProbeArguments, seen: readonly Seen[], failures: readonly Error[], printer: Printer): void {
  const ports = [
    `UDP ${asked.knockPort} (knocks)`,
    ...asked.guarded.map(({ protocol, port }) => `${protocol.toUpperCase()} ${port}`),
  ]
  for (const { message } of failures) printer.error(`postern: warning: ${message}`)
  for (const { to, observations, differences: found } of seen) {
    const usual = (['udp', 'tcp'] as const).map((protocol) => usualLook(observations, to.family, protocol)!)
    const [udp, tcp] = usual.map(lookWords)
    const verdict = found.length === 0 ? 'cannot be told from closed ports' : 'can be told from closed ports'
    printer.line(`${to.address}: ${ports.join(', ')} ${verdict} (of closed ports, UDP is ${udp}, TCP is ${tcp})`)
    for (const difference of found) {
      const { why, cure, setting, command } = mendOf(difference)
      printer.line(`  ${why}`)
      printer.line(`    on the server: ${cure}${setting === undefined ? '' : `: ${setting}`}`)
      if (command !== undefined) printer.line(`    or, whatever its rules are: ${command}`)
    }
    if (observations.every(({ look }) => look === 'silent'))
      printer.line('  Nothing came back at all: so looks a host that drops, and so does an address where no host is.')
  }
  printer.line(
    'Not seen from here: TTL, length and sender of answers, RST or ICMP behind "refused", odd packets. posternd check --stealth names the rules, on the server.',
  )
}

function inJson({ host, user }: ProbeArguments, seen: readonly Seen[]): object {
  return {
    host,
    hidden: seen.every((one) => one.differences.length === 0),
    letmeinUser: formatId(user),
    addresses: seen.map(({ to, observations, differences: found }) => ({
      address: to.address,
      observations,
      differences: found.map((difference) => ({ ...difference, mend: mendOf(difference) })),
    })),
  }
}
