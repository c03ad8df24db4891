/**
 * The server's file: posternd.conf, or letmein's letmeind.conf as it is. What each option means and needs no line for:
 * conf/posternd.conf, docs/PROTOCOL.md, "Configuration files".
 */
import { formatId, type ResourceId } from '../wire/ids.js'
import { Findings } from './error.js'
import { readFirewall } from './firewall.js'
import { readFwknop } from './fwknop-server.js'
import { type General, readGeneral, readKeys, readSections } from './general.js'
import type { Section } from './ini.js'
import { formatRange, hearingPorts, overlaps } from './ports.js'
import { noFiles, type ReferredFiles } from './referred-files.js'
import { addressPolicy } from './resource.js'
import { opensControlPort, portsOf, readResources } from './resources.js'
import { SectionReader } from './section.js'
import type { PortRange, Resource, ServerConfig } from './types.js'
import { keyCount, readOldKeys, readUsers } from './users.js'
import { boolean, hostName, integer, oneOf, seconds, text } from './values.js'

/** What the host says about itself, for warnings. */
export interface ServerFacts {
  /** net.ipv4.ip_local_port_range. */
  readonly localPorts?: PortRange
}

/**
 * What the text of a server's file means, with the files of fwknop's that it names. `file` is for messages. Throws ConfigError
 * with all that is wrong with it.
 */
export function readServerConfig(
  content: string,
  file: string,
  facts: ServerFacts = {},
  files: ReferredFiles = noFiles,
): ServerConfig {
  const findings = new Findings(file)
  const sections = readSections(content, findings, 'server')
  const general = readGeneral(sections, findings)
  const spa = readSpa(sections, general, findings)
  const { firewall, leaseMs } = readFirewall(sections, findings)
  const limits = readLimits(sections, findings)
  const users = readKeys(sections, findings)
  const defaults = { timeoutMs: leaseMs, requireAddress: spa.requireAddress }
  const own = instantWherePossible(readResources(sections, defaults, findings), spa.enabled, firewall.mode, findings)
  const around = { ports: spa.ports, users, resources: own }
  const { fwknop, resources, warnings } = readFwknop(sections, around, files, findings)
  const config: Omit<ServerConfig, 'warnings'> = {
    file,
    debug: general.debug,
    letmein: readLetmein(sections, general, firewall.chain !== undefined, findings),
    ...(fwknop === undefined ? {} : { fwknop }),
    spa,
    firewall,
    log: readLog(sections, findings),
    limits,
    users,
    oldKeys: readOldKeys(sections, users, findings),
    ...readUsers(sections, users, findings),
    resources,
  }
  boundTokens(config, sections, findings)
  warnOfOddities(config, facts, findings)
  return { ...config, warnings: [...warnings, ...findings.finish()] }
}

function readSpa(sections: ReadonlyMap<string, Section>, general: General, findings: Findings): ServerConfig['spa'] {
  const section = new SectionReader(sections, 'SPA', findings)
  const spa = {
    enabled: section.take('enabled', boolean, true),
    realm: section.take('realm', text, ''),
    windowMs: section.take('window', seconds(10, 300), 60_000),
    ports: section.take('port', hearingPorts, general.port.numbers),
    requireAddress: section.take('require-address', addressPolicy, 'optional'),
  }
  const host = section.take('host', hostName, undefined)
  section.finish('refuse')
  if (spa.enabled && spa.realm === '')
    findings.warn(
      section.line('realm'),
      '[SPA] realm is not set: a knock for another server that shares a key opens here too',
    )
  return host === undefined ? spa : { ...spa, host }
}

function readLetmein(
  sections: ReadonlyMap<string, Section>,
  { port: { numbers, protocols }, controlTimeoutMs, errorPolicy }: General,
  isLetmeinsFile: boolean,
  findings: Findings,
): ServerConfig['letmein'] {
  const section = new SectionReader(sections, 'LETMEIN', findings)
  const letmein = {
    enabled: section.take('enabled', boolean, isLetmeinsFile),
    rate: section.take('rate', integer(1, 100_000), 30),
    burst: section.take('burst', integer(1, 100_000), 60),
    rateAll: section.take('rate-all', integer(1, 1_000_000), 4000),
    burstAll: section.take('burst-all', integer(1, 1_000_000), 1000),
    ports: {
      udp: protocols.includes('udp') ? numbers : [],
      tcp: protocols.includes('tcp') && numbers !== 'any' ? numbers : [],
    },
    controlTimeoutMs,
    errorPolicy,
  }
  section.finish('refuse')
  if (!letmein.enabled) return letmein
  if (letmein.ports.tcp.length > 0)
    findings.warn(
      section.line(),
      `letmein over TCP answers every SYN, by its nature: port ${letmein.ports.tcp.join(', ')} can be seen; [GENERAL] port = 5800 / udp is silent`,
    )
  const low = [...(letmein.ports.udp === 'any' ? [] : letmein.ports.udp), ...letmein.ports.tcp].find(
    (port) => port < 1024,
  )
  if (low !== undefined)
    findings.warn(section.line(), `letmein cannot be answered from port ${low}: expected a control port from 1024 on`)
  return letmein
}

function readLog(sections: ReadonlyMap<string, Section>, findings: Findings): ServerConfig['log'] {
  const section = new SectionReader(sections, 'LOG', findings)
  const format = section.take('format', oneOf('text', 'json'), 'text')
  section.finish('refuse')
  return { format }
}

function readLimits(sections: ReadonlyMap<string, Section>, findings: Findings): ServerConfig['limits'] {
  const section = new SectionReader(sections, 'LIMITS', findings)
  const limits = {
    leasesPerUser: section.take('leases-per-user', integer(0, 65_536), 64),
    tagRate: section.take('tag-rate', integer(1, 100_000), 5),
    tagBurst: section.take('tag-burst', integer(1, 100_000), 8),
    maxTokens: section.take('max-tokens', integer(0, 4_194_304), 262_144),
    replayEntries: section.take('replay-entries', integer(1000, 16_000_000), 1_000_000),
  }
  section.finish('refuse')
  return limits
}

/** The kernel opens by itself only what postern's own table guards, and only for SPA's tokens. */
function instantWherePossible(
  resources: ReadonlyMap<ResourceId, Resource>,
  spaIsOn: boolean,
  mode: ServerConfig['firewall']['mode'],
  findings: Findings,
): ReadonlyMap<ResourceId, Resource> {
  if (spaIsOn && mode === 'guard') return resources
  const why = spaIsOn ? 'in chain mode: it opens a moment later' : 'while [SPA] enabled = no'
  return new Map(
    [...resources].map(([id, resource]) => {
      if (resource.instant) findings.warn(resource.line, `resource ${formatId(id)}: instant has no meaning ${why}`)
      return [id, { ...resource, instant: false }]
    }),
  )
}

/** docs/PROTOCOL.md, "Instant tokens": 16 of each user and resource, for the last, this and the next slot and one spare. */
const TOKENS_A_SLOT = 16
const SLOTS = 4

function boundTokens(
  { limits, users, oldKeys, resources }: Omit<ServerConfig, 'warnings'>,
  sections: ReadonlyMap<string, Section>,
  findings: Findings,
): void {
  const instant = [...resources.values()].filter((resource) => resource.instant)
  const keys = ({ users: allowed }: Resource) => keyCount(allowed ?? users.keys(), { users, oldKeys })
  const pairs = instant.reduce((sum, resource) => sum + keys(resource), 0)
  const tokens = pairs * TOKENS_A_SLOT * SLOTS
  if (tokens <= limits.maxTokens) return
  const max = new SectionReader(sections, 'LIMITS', findings)
  const line = max.option('max-tokens')?.line ?? instant[0]!.line
  findings.refuse(
    line,
    `[LIMITS] max-tokens "${limits.maxTokens}": expected ${tokens} or more, ${TOKENS_A_SLOT * SLOTS} for each user ` +
      `of each of ${instant.length} instant resources, or fewer of them`,
  )
}

function warnOfOddities(config: Omit<ServerConfig, 'warnings'>, facts: ServerFacts, findings: Findings): void {
  const { firewall, letmein, users, resources, fwknop } = config
  if (users.size === 0 && (fwknop?.settings.stanzas.length ?? 0) === 0)
    findings.warn(0, '[KEYS] has no user: nobody can knock')
  if (resources.size === 0) findings.warn(0, '[RESOURCES] has no resource: nothing is guarded')
  for (const resource of resources.values()) {
    const warn = (message: string) => findings.warn(resource.line, `resource ${formatId(resource.id)}: ${message}`)
    if (opensControlPort(resource, letmein.ports))
      warn('its port is the control port: a letmein knock for it is refused')
    const stranger = resource.users?.find((user) => !users.has(user))
    if (stranger !== undefined) warn(`user ${formatId(stranger)} has no key in [KEYS]`)
    for (const hook of hooksWithoutChain(resource, firewall))
      warn(`jump ${hook}: no chain-${hook} to jump from (mode = ${firewall.mode}): a knock for it is refused`)
    if (firewall.mode === 'chain' && resource.cut)
      warn('cut has no power where the ruleset accepts established connections before it jumps to our chain')
    if (firewall.mode === 'guard') warnOfLocalPorts(resource, facts.localPorts, warn)
  }
}

function hooksWithoutChain(resource: Resource, firewall: ServerConfig['firewall']): string[] {
  if (resource.target.kind !== 'jump') return []
  const chain = firewall.mode === 'chain' ? firewall.chain : undefined
  return resource.target.jumps.filter(({ hook }) => chain?.[hook] === undefined).map(({ hook }) => hook)
}

function warnOfLocalPorts(resource: Resource, local: PortRange | undefined, warn: (message: string) => void): void {
  if (local === undefined || resource.target.kind !== 'ports') return
  const range = portsOf(resource).find((ports) => overlaps(ports, local))
  if (range !== undefined)
    warn(
      `port ${formatRange(range)}: the host takes source ports of its own from ${formatRange(local)} ` +
        `(sysctl net.ipv4.ip_local_reserved_ports=${formatRange(range)} keeps it from that)`,
    )
}
