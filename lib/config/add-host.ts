/** Puts what an enroll line says into the text of a client's file, as a section [HOST NAME]. Pure. */
import type { EnrolledResource, Enrolment } from '../wire/enrolment.js'
import { formatId } from '../wire/ids.js'
import { addOptions } from './add-options.js'
import { appendSection, removeOptions, setOption } from './edit.js'
import { hostNamed } from './hosts.js'
import { formatRange } from './ports.js'
import type { ClientConfig, ClientHost } from './types.js'

/**
 * What a line means for a file. `same`: it says what the file says already; `key`: another key for who one is there already;
 * `realm`, `user`: the file knows the host as another server, or oneself there as another user.
 */
export type Meeting =
  | { readonly kind: 'new' }
  | { readonly kind: 'same' | 'key' | 'realm' | 'user'; readonly known: ClientHost }

/** What the line meets in the file under this name. */
export function meetingOf(config: ClientConfig, name: string, line: Enrolment): Meeting {
  const known = hostNamed(config, name)
  if (known === undefined) return { kind: 'new' }
  if (known.realm !== undefined && known.realm !== line.realm) return { kind: 'realm', known }
  if (known.user !== undefined && known.user !== line.user) return { kind: 'user', known }
  if (known.key === undefined || !Buffer.from(known.key).equals(line.key)) return { kind: 'key', known }
  const isSame = known.port === line.port && known.address === line.host && haveSame(known, line)
  return { kind: isSame ? 'same' : 'key', known }
}

function haveSame({ resources }: ClientHost, line: Enrolment): boolean {
  if (resources.size !== line.resources.length) return false
  return line.resources.every(({ id, name, ports, protocols, instant, timeoutSeconds, connections }) => {
    const known = resources.get(id)
    if (known?.target.kind !== 'ports') return false
    const said = [name, ports.map(formatRange), protocols, instant, timeoutSeconds * 1000, connections]
    const has = [
      known.name,
      known.target.ports.map(formatRange),
      known.target.protocols,
      known.instant,
      known.timeoutMs,
      known.connections,
    ]
    return JSON.stringify(said) === JSON.stringify(has)
  })
}

/** The file's text with the line's section, in the place of the one that is there. */
export function withHost(text: string, name: string, line: Enrolment, known: ClientHost | undefined): string {
  const options = optionsOf(name, line)
  if (known === undefined)
    return appendSection(
      text,
      `HOST ${name}`,
      options.map(([option, value]) => `${option} = ${value}`),
    )
  const section = `HOST ${known.name}`
  const [own, resources] = [
    options.filter(([option]) => !isResource(option)),
    options.filter(([option]) => isResource(option)),
  ]
  const without = removeOptions(
    text,
    section,
    (option) => isResource(option) || (option === 'address' && known.name === line.host),
  )
  const renewed = own.reduce((all, [option, value]) => setOption(all, section, option, value), without)
  return addOptions(
    renewed,
    resources.map(([option, value]) => ({ section, name: option, value })),
  )
}

function isResource(option: string): boolean {
  return option.startsWith('resource ')
}

function optionsOf(
  name: string,
  { host, port, alsoLetmein, realm, user, key, resources }: Enrolment,
): [string, string][] {
  return [
    ...(name === host ? [] : ([['address', host]] as [string, string][])),
    ['port', `${port}`],
    ['realm', realm],
    ['user', formatId(user)],
    ['key', Buffer.from(key).toString('hex').toUpperCase()],
    ...(alsoLetmein ? ([['protocol', 'auto']] as [string, string][]) : []),
    ...resources.map((resource): [string, string] => [`resource ${formatId(resource.id)}`, partsOf(resource)]),
  ]
}

function partsOf({ name, ports, protocols, instant, timeoutSeconds, connections }: EnrolledResource): string {
  return [
    `port: ${ports.map(formatRange).join(',')}`,
    ...(protocols.join() === 'tcp' ? [] : [protocols.join(',')]),
    ...(name === undefined ? [] : [`name: ${name}`]),
    `timeout: ${timeoutSeconds}`,
    ...(instant ? ['instant: yes'] : []),
    ...(connections > 0 ? [`connections: ${connections}`] : []),
  ].join(' / ')
}
