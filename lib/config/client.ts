/**
 * The client's file: postern.conf, or letmein's letmein.conf as it is. Sections that only servers read are let be.
 */
import { isAbsolute } from 'node:path'
import { Findings } from './error.js'
import { readGeneral, readKeys, readSections } from './general.js'
import { protocolName, readHosts } from './hosts.js'
import { hearingPorts, onePort } from './ports.js'
import { readResources } from './resources.js'
import { SectionReader } from './section.js'
import type { ClientConfig, KnockProtocol } from './types.js'
import { boolean, type Form, id, misfit, text } from './values.js'

/** The client has no [NFTABLES]; a lease's length is the server's own matter. */
const DEFAULT_LEASE_MS = 600_000

/** What the text of a client's file means; undefined is no file, which is an empty one. Throws ConfigError. */
export function readClientConfig(content: string | undefined, file: string): ClientConfig {
  const findings = new Findings(file)
  const sections = readSections(content ?? '', findings, 'client')
  const { port, controlTimeoutMs, errorPolicy } = readGeneral(sections, findings)

  const client = new SectionReader(sections, 'CLIENT', findings)
  const defaultUser = client.take('default-user', id, 0)
  const named = client.take('protocol', protocolName, undefined)
  client.finish('warn')

  const spa = new SectionReader(sections, 'SPA', findings)
  const realm = spa.take('realm', text, '')
  const spaPort = spa.take('port', hearingPorts, undefined)
  const hasSpa = finishSwitch(spa, ['window', 'require-address', 'host'])
  const letmein = new SectionReader(sections, 'LETMEIN', findings)
  const hasLetmein = finishSwitch(letmein, ['rate', 'burst', 'rate-all', 'burst-all'])
  const fwknop = readFwknopSection(new SectionReader(sections, 'FWKNOP', findings))
  const protocol = named ?? protocolOf(hasSpa, hasLetmein, content !== undefined)

  const users = readKeys(sections, findings)
  if (realm === '' && users.size > 0 && (protocol === 'spa' || protocol === 'auto'))
    findings.warn(spa.line('realm'), '[SPA] realm is not set: a knock also opens at other servers that share the key')
  const defaults = { timeoutMs: DEFAULT_LEASE_MS, requireAddress: 'optional' } as const
  const resources = readResources(sections, defaults, findings)
  return {
    ...(content === undefined ? {} : { file }),
    port: { udp: onePort(port.numbers), protocols: port.protocols },
    ...(spaPort === undefined ? {} : { spaPort: onePort(spaPort) }),
    protocol,
    controlTimeoutMs,
    errorPolicy,
    defaultUser,
    realm,
    fwknop,
    users,
    resources,
    hosts: readHosts(sections, defaults, findings),
    warnings: findings.finish(),
  }
}

/** What only a server's [FWKNOP] has. */
const SERVERS = [
  'enabled',
  'access-file',
  'config-file',
  'port',
  'max-age',
  'without-hmac',
  'rate',
  'burst',
  'rate-all',
]

/** Where fwknop's client has its file, and which of its stanzas is meant. */
function readFwknopSection(section: SectionReader): ClientConfig['fwknop'] {
  const rcFile = section.take('rc-file', homePath, undefined)
  const stanza = section.take('stanza', text, undefined)
  for (const name of [...SERVERS, 'burst-all']) section.take(name, text, '')
  section.finish('refuse')
  return { ...(rcFile === undefined ? {} : { rcFile }), ...(stanza === undefined ? {} : { stanza }) }
}

const homePath: Form<string> = (path) =>
  isAbsolute(path) || path.startsWith('~/') ? { value: path } : misfit(path, 'a path that begins with / or ~/')

/** Whether a protocol is switched on; undefined: the file does not speak of it. Takes what only servers read as well. */
function finishSwitch(section: SectionReader, serverOptions: readonly string[]): boolean | undefined {
  const isOn = section.take('enabled', boolean, true)
  for (const name of serverOptions) section.take(name, text, '')
  section.finish('refuse')
  return section.line() > 0 ? isOn : undefined
}

/** What the file speaks of: both is auto. letmein's own file speaks of neither; where there is no file, it is our own. */
function protocolOf(spa: boolean | undefined, letmein: boolean | undefined, isFileThere: boolean): KnockProtocol {
  const hasSpa = spa ?? !isFileThere
  const hasLetmein = letmein ?? !hasSpa
  if (!hasLetmein) return 'spa'
  return hasSpa ? 'auto' : 'letmein'
}
