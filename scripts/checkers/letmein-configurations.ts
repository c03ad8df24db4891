/**
 * letmein's configuration files: the same verdict and the same meaning, but where one of the rules below says why not. The
 * rules look at the file and at what postern read in it, never at the vector's name; each time that one was needed is a note.
 */
import { readClientConfig } from '../../lib/config/client.js'
import { ConfigError } from '../../lib/config/error.js'
import { judgeReaders, judgeWriters } from '../../lib/config/permissions.js'
import { covers } from '../../lib/config/ports.js'
import { decodeUtf8 } from '../../lib/config/read-file.js'
import { readServerConfig } from '../../lib/config/server.js'
import type { ClientConfig, ServerConfig } from '../../lib/config/types.js'
import { formatId } from '../../lib/wire/ids.js'
import { decode, encodeSigned, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { compareBytes, compareFields } from './compare.js'
import { judgeProbes } from './letmein-probes.js'
import { bytesOf, type Fields, idOf, listOf, optional, textOf, wholeOf, wrong } from './shape.js'
import type { Tally } from './tally.js'

const DEFAULT_PORT = 5800

/** Counts one entry. Throws ShapeError where it is none. */
export function countConfiguration(fields: Fields, where: string, tally: Tally): void {
  const program = textOf(fields, 'program', where)
  if (program === 'server') countServer(fields, where, tally)
  else if (program === 'client') countClient(fields, where, tally)
  else throw wrong(`${where}.program`, program, 'server or client')
}

function countServer(fields: Fields, where: string, tally: Tally): void {
  const [listener, firewall] = [verdictOf(fields, 'letmeind', where), verdictOf(fields, 'letmeinfwd', where)]
  const theirs = listener === 'refused' ? listener : firewall
  const config = read(() => readServer(fields, where))
  const differences: string[] = []
  const note = (why: string) => tally.notes.push(`${where}: ${why}`)
  if (config instanceof ConfigError !== (theirs === 'refused')) {
    const why = config instanceof ConfigError ? whyRefused(config, fields, where) : whyAccepted(config, fields, where)
    if (why === undefined) differences.push(verdictDifference(config, theirs))
    else note(`${config instanceof ConfigError ? 'refused' : 'accepted'} here, ${theirs} in the file: ${why}`)
  } else if (!(config instanceof ConfigError)) {
    if (fields['control_port'] !== undefined)
      differences.push(...compareFields('control port', config.letmein.ports, fields['control_port']))
    differences.push(...judgeProbes(config, fields, where, note))
  }
  tally.count(where, differences)
}

/** Why postern refuses what letmein takes. */
function whyRefused(error: ConfigError, fields: Fields, where: string): string | undefined {
  if (error.code === 'permission') return 'keys that others can read or write are refused'
  const text = contentOf(fields, where).toString('utf8')
  const ports = fields['control_port'] as { tcp?: unknown[]; udp?: unknown[] } | undefined
  const chosen = [...(ports?.tcp ?? []), ...(ports?.udp ?? [])].filter((port) => port !== DEFAULT_PORT)
  if (chosen.length > 0 && !chosen.some((port) => text.includes(String(port))))
    return 'the kernel chose the control port; postern binds nothing, so nobody could choose one'
  return undefined
}

/** Why postern takes what letmein refuses. */
function whyAccepted(config: ServerConfig, fields: Fields, where: string): string | undefined {
  const isFirewallAlone = verdictOf(fields, 'letmeind', where) === 'accepted'
  if (isFirewallAlone && config.firewall.mode === 'guard') return 'guard mode needs no [NFTABLES]'
  const says = optional(textOf, fields, 'letmeinfwd_says', where) ?? ''
  if (isFirewallAlone && /"nft" did not|execute the 'nft'/.test(says))
    return 'nft itself refused, which no text can tell: the rule manager says so at the start'
  const hasMore = [...config.resources.values()].some(
    ({ target }) =>
      target.kind === 'ports' && (target.ports.length > 1 || target.ports[0]?.first !== target.ports[0]?.last),
  )
  return hasMore ? 'a resource of postern may have several ports' : undefined
}

function countClient(fields: Fields, where: string, tally: Tally): void {
  const theirs = verdictOf(fields, 'letmein', where)
  const config = read(() => readClient(fields, where))
  if (config instanceof ConfigError === (theirs === 'refused')) {
    tally.count(where, config instanceof ConfigError ? [] : differencesOfClient(config, fields, where))
  } else if (config instanceof ConfigError && config.code === 'permission') {
    tally.notes.push(`${where}: refused here, ${theirs} in the file: keys that others can write are refused`)
    tally.count(where, [])
  } else tally.count(where, [verdictDifference(config, theirs)])
}

/** Each command knocks, or does not, as letmein's did: same user, resource, port and protocol, and the same bytes. */
function differencesOfClient(config: ClientConfig, fields: Fields, where: string): string[] {
  const found = compareFields('default user', formatId(config.defaultUser), textOf(fields, 'default_user', where))
  listOf(fields, 'commands').forEach((command, i) => {
    const at = `${where}.commands[${i}]`
    const words = command['arguments']
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
      throw wrong(`${at}.arguments`, words, 'a list of words')
    const ours = knockOf(config, words)
    const [sent] = listOf(command, 'sent')
    if (sent === undefined || ours === undefined) {
      if (sent !== ours) found.push(`${words.join(' ')}: ${ours ? 'knocks' : 'does not'} here, not so in the file`)
      return
    }
    const theirs = {
      user: idOf(sent, 'user', at),
      resource: idOf(sent, 'resource', at),
      port: wholeOf(sent, 'port', at),
      transport: textOf(sent, 'transport', at),
    }
    found.push(...compareFields(words.join(' '), ours.knock, theirs))
    const datagram = bytesOf(sent, 'datagram', at)
    const message = decode(datagram)
    if ('why' in message) throw wrong(`${at}.datagram`, message.why, 'a message')
    const again = () => encodeSigned({ ...message, ...ours.knock }, ours.key, ZERO_AUTH)
    found.push(...compareBytes(`${words.join(' ')}: datagram`, again, datagram))
  })
  return found
}

/** What `knock … HOST PORT` or `… HOST -r ID` sends; undefined: nothing. */
function knockOf(config: ClientConfig, words: readonly string[]) {
  const at = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined)
  const user = at('-u') === undefined ? config.defaultUser : Number.parseInt(at('-u')!, 16)
  const port = Number(words.at(-1))
  const mapped = [...config.resources.values()].find(
    (resource) => covers(resource, port) && (resource.users?.includes(user) ?? true),
  )
  const resource = at('-r') === undefined ? mapped?.id : Number.parseInt(at('-r')!, 16)
  const key = config.users.get(user)
  if (resource === undefined || key === undefined) return undefined
  const forced = words.includes('-T') ? 'tcp' : words.includes('-U') ? 'udp' : undefined
  const transport = forced ?? config.port.protocols[0]!
  return {
    key,
    knock: { user, resource, port: at('-P') === undefined ? config.port.udp : Number(at('-P')), transport },
  }
}

/** As the daemon does it: who may read and write the file, then what it says. */
function readServer(fields: Fields, where: string): ServerConfig {
  const reader = { role: 'daemon', uid: 0, groups: [0] } as const
  const facts = { mode: modeOf(fields, where, '0640'), uid: optional(wholeOf, fields, 'owner_uid', where) ?? 0, gid: 0 }
  refuseIf(judgeWriters('letmeind.conf', facts, reader) ?? judgeReaders('letmeind.conf', facts, reader))
  return readServerConfig(decodeUtf8(contentOf(fields, where), 'letmeind.conf'), 'letmeind.conf')
}

function readClient(fields: Fields, where: string): ClientConfig {
  const facts = { mode: modeOf(fields, where, '0644'), uid: 1000, gid: 1000 }
  refuseIf(judgeWriters('letmein.conf', facts, { role: 'client', uid: 1000, groups: [1000] }))
  return readClientConfig(decodeUtf8(contentOf(fields, where), 'letmein.conf'), 'letmein.conf')
}

function refuseIf(judgement: ReturnType<typeof judgeReaders>): void {
  if (judgement?.refused) throw new ConfigError([{ file: '', line: 0, message: judgement.message }], 'permission')
}

function read<T extends object>(make: () => T): T | ConfigError {
  try {
    return make()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function contentOf(fields: Fields, where: string): Buffer {
  const text = optional(textOf, fields, 'file', where)
  return text === undefined ? Buffer.from(textOf(fields, 'file_base64', where), 'base64') : Buffer.from(text, 'utf8')
}

function modeOf(fields: Fields, where: string, usual: string): number {
  const text = optional(textOf, fields, 'mode', where) ?? usual
  if (!/^[0-7]{3,5}$/.test(text)) throw wrong(`${where}.mode`, text, 'octal digits')
  return Number.parseInt(text, 8)
}

function verdictOf(fields: Fields, name: string, where: string): 'accepted' | 'refused' {
  const text = textOf(fields, name, where)
  if (text === 'accepted' || text === 'refused') return text
  throw wrong(`${where}.${name}`, text, 'accepted or refused')
}

function verdictDifference(config: object, theirs: string): string {
  if (config instanceof ConfigError) return `refused here, ${theirs} in the file: ${config.message.split('\n')[0]}`
  return `accepted here, ${theirs} in the file`
}
