/**
 * [HOST NAME] of the client's file: one server each, with what differs from the rest of the file. So one file holds many
 * servers, each with its own realm, user and key, and NAME is what the commands take.
 */
import { formatId } from '../wire/ids.js'
import { type Findings, quote } from './error.js'
import type { Section } from './ini.js'
import { hearingPorts, onePort } from './ports.js'
import type { ResourceDefaults } from './resource.js'
import { readResourceOptions } from './resources.js'
import { SectionReader } from './section.js'
import type { ClientConfig, ClientHost, KnockProtocol } from './types.js'
import { type Form, hostName, id, key, oneOf, text } from './values.js'

const HEADER = /^HOST /
const RESOURCE = /^resource\s+/
export const protocolName: Form<KnockProtocol> = oneOf('auto', 'spa', 'letmein', 'fwknop')

/** All servers of the file, by their names in small letters. */
export function readHosts(
  sections: ReadonlyMap<string, Section>,
  defaults: ResourceDefaults,
  findings: Findings,
): Map<string, ClientHost> {
  const hosts = new Map<string, ClientHost>()
  for (const section of sections.values()) {
    if (!HEADER.test(section.name)) continue
    const name = section.name.slice('HOST '.length).trim()
    const reading = hostName(name)
    if ('misfit' in reading || /[[\]=]/.test(name)) {
      findings.refuse(section.line, `[HOST ${quote(name)}]: expected a host's name, as the commands take it`)
      continue
    }
    const known = hosts.get(name.toLowerCase())
    if (known !== undefined)
      findings.refuse(section.line, `[HOST ${name}] is here twice: the first is in line ${known.line}`)
    hosts.set(name.toLowerCase(), readHost(name, section, sections, defaults, findings))
  }
  return hosts
}

function readHost(
  name: string,
  section: Section,
  sections: ReadonlyMap<string, Section>,
  defaults: ResourceDefaults,
  findings: Findings,
): ClientHost {
  const reader = new SectionReader(sections, section.name, findings)
  const port = reader.take('port', hearingPorts, undefined)
  const said: { [K in 'realm' | 'user' | 'key' | 'protocol']: ClientHost[K] | undefined } = {
    realm: reader.take('realm', text, undefined),
    user: reader.take('user', id, undefined),
    key: reader.take('key', key, undefined),
    protocol: reader.take('protocol', protocolName, undefined),
  }
  const options = section.options.filter((option) => RESOURCE.test(option.name))
  for (const option of options) reader.take(option.name, text, '')
  const named = options.map((option) => ({ ...option, name: option.name.replace(RESOURCE, '') }))
  const host: ClientHost = {
    name,
    line: section.line,
    address: reader.take('address', hostName, name),
    ...(port === undefined ? {} : { port: onePort(port) }),
    ...(Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Pick<
      ClientHost,
      keyof typeof said
    >),
    resources: readResourceOptions(named, `[${section.name}]`, defaults, findings),
  }
  reader.finish('refuse')
  if (host.key !== undefined && host.user === undefined)
    findings.refuse(section.line, `[HOST ${name}] has a key and no user: expected user = ID, as ${formatId(1)}`)
  return host
}

/** The server that a command's HOST names, by its name or its address. */
export function hostNamed({ hosts }: ClientConfig, host: string): ClientHost | undefined {
  const name = host.toLowerCase()
  return hosts.get(name) ?? [...hosts.values()].find(({ address }) => address.toLowerCase() === name)
}

/** The configuration as it is for one server, and where that is knocked at. What its section does not say, the rest of the file does. */
export function configFor(
  config: ClientConfig,
  host: string,
): { readonly config: ClientConfig; readonly address: string } {
  const found = hostNamed(config, host)
  if (found === undefined) return { config, address: host }
  const { address, port, realm, user, key: own, protocol, resources } = found
  return {
    address,
    config: {
      ...config,
      ...(port === undefined ? {} : { port: { udp: port, protocols: ['udp'] as const }, spaPort: port }),
      ...(realm === undefined ? {} : { realm }),
      ...(user === undefined ? {} : { defaultUser: user }),
      // Its key is for this server's realm: no other user's key of the file opens there by mistake.
      ...(own === undefined ? {} : { users: new Map([[user!, own]]) }),
      // A section with a key is one of postern's own, whatever the rest of the file speaks.
      ...(protocol !== undefined ? { protocol } : own === undefined ? {} : { protocol: 'spa' as const }),
      ...(resources.size === 0 ? {} : { resources }),
    },
  }
}
