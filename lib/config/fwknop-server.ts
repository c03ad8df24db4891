/**
 * [FWKNOP] of the server's file: fwknop's own files, referred to and read unchanged (docs/CONFIGURATION.md, "fwknop").
 */
import { isAbsolute } from 'node:path'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import { ConfigError, type Findings } from './error.js'
import { readAccess } from './fwknop-access.js'
import { type FwknopDaemon, MOST_AGE_SECONDS, type Overridden, readFwknopDaemon } from './fwknop-daemon.js'
import { fwknopResources, tellOfParts } from './fwknop-resources.js'
import type { ReadStanza } from './fwknop-stanza.js'
import type { Section } from './ini.js'
import { hearingPorts } from './ports.js'
import type { ReferredFiles } from './referred-files.js'
import { SectionReader } from './section.js'
import type { ControlPorts, FwknopConfig, Resource } from './types.js'
import { boolean, type Form, integer, misfit, oneOf, seconds } from './values.js'

/** A stanza's user is this and its number; no user of [KEYS] may have one of these ids. */
const FIRST_USER = 0xf1000000
const LAST_USER = 0xf1ffffff
const FWKNOP_PORT = 62_201
const MAX_AGE_MS = 120_000
/** Of all strangers, where there is one HMAC key. Each different one is tried for each packet, at 13–110 µs. */
const RATE_ALL = 4000
const BURST_ALL = 1000
const LEAST_RATE = 10
const MANY_HMACS = 20_000

const absolutePath: Form<string> = (text) =>
  isAbsolute(text) ? { value: text } : misfit(text, 'a path that begins with /')

/** What of the rest of the file it depends on. */
export interface AroundFwknop {
  /** Where SPA is heard. */
  readonly ports: ControlPorts['udp']
  readonly users: ReadonlyMap<UserId, Uint8Array>
  readonly resources: ReadonlyMap<ResourceId, Resource>
}

export interface ReadFwknop {
  /** undefined: fwknop's clients are not heard. */
  readonly fwknop?: FwknopConfig
  /** Those of [RESOURCES], and what OPEN_PORTS adds. */
  readonly resources: ReadonlyMap<ResourceId, Resource>
  /** Whole sentences about who can read the files. */
  readonly warnings: readonly string[]
}

/** What [FWKNOP] means. All that is wrong, in its files too, is among the findings. */
export function readFwknop(
  sections: ReadonlyMap<string, Section>,
  around: AroundFwknop,
  files: ReferredFiles,
  findings: Findings,
): ReadFwknop {
  const section = new SectionReader(sections, 'FWKNOP', findings)
  const accessFile = section.take('access-file', absolutePath, undefined)
  const configFile = section.take('config-file', absolutePath, undefined)
  const isOn = section.take('enabled', boolean, section.option('access-file') !== undefined)
  const namedPorts = section.take('port', hearingPorts, undefined)
  const namedAgeMs = section.take('max-age', seconds(1, MOST_AGE_SECONDS), undefined)
  const withoutHmac = section.take('without-hmac', oneOf('refuse', 'accept'), 'refuse') === 'accept'
  const limits = {
    rate: section.take('rate', integer(1, 100_000), 30),
    burst: section.take('burst', integer(1, 100_000), 60),
    rateAll: section.take('rate-all', integer(1, 1_000_000), undefined),
    burstAll: section.take('burst-all', integer(1, 1_000_000), undefined),
  }
  section.finish('refuse')
  const off: ReadFwknop = { resources: around.resources, warnings: [] }
  if (!isOn) return off
  if (accessFile === undefined) {
    if (section.option('access-file') === undefined)
      section.refuse('enabled', 'yes: expected access-file = /etc/fwknop/access.conf with it')
    return off
  }

  const overridden = { port: namedPorts !== undefined, maxAge: namedAgeMs !== undefined }
  const daemon = readDaemon(configFile, files, overridden, findings)
  if (daemon.accessFile !== undefined && daemon.accessFile !== accessFile)
    findings
      .of(configFile!)
      .warn(0, `ACCESS_FILE ${daemon.accessFile}: not read: [FWKNOP] access-file is ${accessFile}`)
  const access = readAccess(accessFile, files, { withoutHmac }, findings)
  const { resources, targets } = fwknopResources(
    access.stanzas,
    around.resources,
    section.line('access-file'),
    (line, message) => findings.refuse(line, message),
  )
  for (const stanza of access.stanzas) tellOfParts(stanza, targets)
  const tried = differentHmacs(access.stanzas)
  if (limits.rateAll !== undefined && limits.rateAll * tried > MANY_HMACS)
    section.warn(
      'rate-all',
      `${limits.rateAll}: strangers can have ${limits.rateAll * tried} HMACs made a second, for there are ${tried} different keys`,
    )
  for (const user of around.users.keys())
    if (user >= FIRST_USER && user <= LAST_USER)
      findings.refuse(
        sections.get('KEYS')!.line,
        `[KEYS] user ${formatId(user)}: the stanzas of access.conf have such ids: expected one below ${formatId(FIRST_USER)} or above ${formatId(LAST_USER)}`,
      )
  return {
    resources,
    warnings: access.warnings,
    fwknop: {
      files: [...access.files, ...(configFile === undefined ? [] : [configFile])],
      folders: access.folders,
      ports: namedPorts ?? union(around.ports, daemon.ports ?? [FWKNOP_PORT]),
      ...limits,
      rateAll: limits.rateAll ?? Math.max(LEAST_RATE, Math.floor(RATE_ALL / tried)),
      burstAll: limits.burstAll ?? Math.max(LEAST_RATE, Math.floor(BURST_ALL / tried)),
      settings: {
        stanzas: access.stanzas.map(({ stanza }, index) => ({ user: FIRST_USER + index, ...stanza })),
        maxAgeMs: namedAgeMs ?? daemon.maxAgeMs ?? MAX_AGE_MS,
        resources: targets,
      },
    },
  }
}

function readDaemon(
  file: string | undefined,
  files: ReferredFiles,
  overridden: Overridden,
  findings: Findings,
): FwknopDaemon {
  if (file === undefined) return {}
  try {
    return readFwknopDaemon(files.read(file), overridden, findings.of(file))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.adopt(error)
    return {}
  }
}

function union(a: ControlPorts['udp'], b: ControlPorts['udp']): ControlPorts['udp'] {
  if (a === 'any' || b === 'any') return 'any'
  return [...new Set([...a, ...b])].sort((x, y) => x - y)
}

/** How many HMACs the gate makes for a stranger's packet at most, and one. */
function differentHmacs(stanzas: readonly ReadStanza[]): number {
  const names = stanzas.map(({ stanza: { keys } }) => keys.hmac && `${keys.hmac.digest} ${keys.hmac.key.join()}`)
  return Math.max(1, new Set(names).size)
}
