/**
 * What of fwknopd.conf has a meaning here: where it hears, and how old a packet may be. What would let more in, or something
 * else, is refused. Pure; never throws.
 */
import { type Findings, quote } from './error.js'
import { NAT } from './fwknop-directives.js'
import { type FwknopLine, fwknopLines } from './fwknop-lines.js'
import { decimal, fwknopSwitch } from './fwknop-values.js'
import { didYouMean } from './nearest.js'
import type { ControlPorts } from './types.js'
import type { Form } from './values.js'

export interface FwknopDaemon {
  /** Where fwknopd would hear; undefined: it does not say. */
  readonly ports?: ControlPorts['udp']
  readonly maxAgeMs?: number
  /** ACCESS_FILE, where it names one. */
  readonly accessFile?: string
}

/** What [FWKNOP] says by itself: then fwknopd.conf need not be understood in it. */
export interface Overridden {
  readonly port: boolean
  readonly maxAge: boolean
}

export const MOST_AGE_SECONDS = 3600
const UDP_ALONE =
  'a knock is a UDP datagram here: delete the line, and have the clients knock over UDP (SPA_SERVER_PROTO udp)'
const NO_WAY_OUT = 'postern opens no way out: delete the line, and let the host accept what is established'

/** Refused where they say Y, and why. N is what they are where nothing is said. */
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['ENABLE_TCP_SERVER', UDP_ALONE],
  ['ENABLE_SPA_OVER_HTTP', UDP_ALONE],
  ['ENABLE_X_FORWARDED_FOR', UDP_ALONE],
  // fwknopd is built for one firewall, and passes over the names of the others.
  ...['IPT', 'FIREWD'].flatMap(
    (firewall) =>
      [
        [`ENABLE_${firewall}_FORWARDING`, NAT],
        [`ENABLE_${firewall}_LOCAL_NAT`, NAT],
        [`ENABLE_${firewall}_SNAT`, NAT],
        [`ENABLE_${firewall}_OUTPUT`, NO_WAY_OUT],
      ] as const,
  ),
  ['ENABLE_EXTERNAL_CMDS', 'postern runs no commands: delete the line'],
  ['ENABLE_DESTINATION_RULE', 'a lease is for all addresses of this host: delete the line, or leave config-file out'],
])

/** What has no meaning here and changes nothing that is let in. */
const WITHOUT_MEANING =
  /^(PCAP_(INTF|DISPATCH_COUNT|LOOP_SLEEP)|ENABLE_(PCAP_PROMISC|PCAP_ANY_DIRECTION|RULE_PREPEND|NAT_DNS|IPT_COMMENT_CHECK)|EXIT_AT_INTF_DOWN|MAX_SNIFF_BYTES|RULES_CHECK_THRESHOLD|CMD_EXEC_TIMEOUT|TCPSERV_PORT|UDPSERV_SELECT_TIMEOUT|LOCALE|SYSLOG_(IDENTITY|FACILITY)|SNAT_TRANSLATE_IP|FLUSH_(IPT|FIREWD|IPFW)_AT_(INIT|EXIT)|(IPT|FIREWD)_(INPUT|OUTPUT|FORWARD|DNAT|SNAT|MASQUERADE)_ACCESS|ENABLE_FIREWD_COMMENT_CHECK|IPFW_[A-Z_]+|PF_[A-Z_]+|EXTERNAL_CMD_[A-Z]+|ENABLE_EXT_CMD_PREFIX|EXT_CMD_PREFIX|FWKNOP_(RUN_DIR|CONF_DIR|PID_FILE)|DIGEST_FILE|DIGEST_DB_FILE|GPG_HOME_DIR|GPG_EXE|SUDO_EXE|FIREWALL_EXE|VERBOSE|FAULT_INJECTION_TAG|ENABLE_NFQ_CAPTURE|NFQ_[A-Z_]+)$/
const HEEDED = [
  'PCAP_FILTER',
  'ENABLE_UDP_SERVER',
  'UDPSERV_PORT',
  'ENABLE_SPA_PACKET_AGING',
  'MAX_SPA_PACKET_AGE',
  'ENABLE_DIGEST_PERSISTENCE',
  'ACCESS_FILE',
  'ACCESS_FOLDER',
  'PCAP_FILE',
]

/** What the text of fwknopd.conf says. All that is wrong is among the findings, which are that file's. */
export function readFwknopDaemon(text: string, overridden: Overridden, findings: Findings): FwknopDaemon {
  const said = new Map<string, FwknopLine>()
  for (const line of fwknopLines(text, (at, message) => findings.refuse(at, message))) heed(line, said, findings)
  const take = <T, F>(name: string, form: Form<T>, fallback: F): T | F => {
    const line = said.get(name)
    if (line === undefined) return fallback
    const reading = form(line.value)
    if ('value' in reading) return reading.value
    findings.refuse(line.line, `${name} ${reading.misfit}: expected ${reading.expected}`)
    return fallback
  }
  for (const [name, why] of SWITCHES)
    if (take(name, fwknopSwitch, false)) findings.refuse(said.get(name)!.line, `${name} Y: ${why}`)
  if (!take('ENABLE_DIGEST_PERSISTENCE', fwknopSwitch, true))
    findings.warn(
      said.get('ENABLE_DIGEST_PERSISTENCE')!.line,
      'ENABLE_DIGEST_PERSISTENCE N: has no meaning here: a packet is taken once',
    )
  const folder = said.get('ACCESS_FOLDER') ?? said.get('PCAP_FILE')
  if (folder !== undefined)
    findings.refuse(
      folder.line,
      folder.name === 'PCAP_FILE'
        ? 'PCAP_FILE: packets are heard, not read from a file: delete the line'
        : `ACCESS_FOLDER: delete the line, and write %include_folder ${folder.value} in access.conf`,
    )
  const isUdpServer = take('ENABLE_UDP_SERVER', fwknopSwitch, false)
  const serverPort = take('UDPSERV_PORT', decimal(1, 65_535), 62_201)
  const heard = isUdpServer
    ? [serverPort]
    : overridden.port
      ? undefined
      : filterPorts(said.get('PCAP_FILTER'), findings)
  const maxAgeMs = ageOf(said, take, overridden, findings)
  const accessFile = said.get('ACCESS_FILE')?.value
  return {
    ...(heard === undefined ? {} : { ports: heard }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(accessFile === undefined ? {} : { accessFile }),
  }
}

/** Puts a line among those that count, with `$NAME` at its beginning replaced by what NAME said above it. */
function heed(line: FwknopLine, said: Map<string, FwknopLine>, findings: Findings): void {
  const { name, value } = line
  const [, embedded] = /^\$([A-Za-z_0-9]+)/.exec(value) ?? []
  const replaced = embedded === undefined ? value : (said.get(embedded)?.value ?? '') + value.slice(embedded.length + 1)
  const isHeeded = HEEDED.includes(name) || SWITCHES.has(name)
  if (isHeeded || WITHOUT_MEANING.test(name)) {
    if (isHeeded && embedded !== undefined && !said.has(embedded))
      findings.refuse(line.line, `${name} ${quote(value)}: expected $${embedded} to be said in a line above it`)
    said.set(name, { ...line, value: replaced })
  } else
    findings.warn(
      line.line,
      `${quote(name)}: no such option, ignored as by fwknopd${didYouMean(name, [...HEEDED, ...SWITCHES.keys()])}`,
    )
}

/** What a PCAP_FILTER of UDP ports hears; undefined where nothing is said, or nothing that has the form. */
function filterPorts(line: FwknopLine | undefined, findings: Findings): ControlPorts['udp'] | undefined {
  if (line === undefined) return undefined
  const text = line.value.toLowerCase().replace(/\s+/g, ' ')
  if (text === 'udp') return 'any'
  const numbers = text.split(' or ').map((part) => Number(/^udp (?:dst )?port ([0-9]{1,5})$/.exec(part)?.[1] ?? 0))
  if (numbers.every((number) => number >= 1 && number <= 65_535)) return [...new Set(numbers)].sort((a, b) => a - b)
  findings.refuse(
    line.line,
    `PCAP_FILTER ${quote(line.value)}: expected "udp port NUMBER" or "udp", or [FWKNOP] port = NUMBERS in posternd.conf`,
  )
  return undefined
}

function ageOf(
  said: ReadonlyMap<string, FwknopLine>,
  take: <T, F>(name: string, form: Form<T>, fallback: F) => T | F,
  overridden: Overridden,
  findings: Findings,
): number | undefined {
  const isAging = take('ENABLE_SPA_PACKET_AGING', fwknopSwitch, true)
  const seconds = take('MAX_SPA_PACKET_AGE', decimal(1, 100_000), undefined)
  if (overridden.maxAge) return undefined
  const instead = `expected at most ${MOST_AGE_SECONDS} seconds, or [FWKNOP] max-age in posternd.conf`
  if (!isAging)
    findings.refuse(
      said.get('ENABLE_SPA_PACKET_AGING')!.line,
      `ENABLE_SPA_PACKET_AGING N: a packet would be good for ever: ${instead}`,
    )
  if (seconds !== undefined && seconds > MOST_AGE_SECONDS)
    findings.refuse(said.get('MAX_SPA_PACKET_AGE')!.line, `MAX_SPA_PACKET_AGE ${seconds}: ${instead}`)
  return seconds === undefined ? undefined : seconds * 1000
}
