/**
 * Where the configuration files are, and reading them with the rules of who may read and write them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { readClientConfig } from './client.js'
import { Contents } from './contents.js'
import { ConfigError } from './error.js'
import type { Reader } from './permissions.js'
import { listOwnFolder, readOwnFile, warningsOfReaders } from './read-file.js'
import type { ReferredFiles } from './referred-files.js'
import { readServerConfig, type ServerFacts } from './server.js'
import type { ClientConfig, PortRange, ServerConfig } from './types.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where the server's file is looked for; the first that is there counts. */
export const SERVER_FILES = ['/etc/postern/posternd.conf', '/opt/letmein/etc/letmeind.conf'] as const

/** Where the client's file is looked for, behind the user's own. */
const CLIENT_FILES = ['/etc/postern/postern.conf', '/opt/letmein/etc/letmein.conf'] as const

/**
 * Where the client's file is looked for; the first that is there counts. On Windows it is the user's own alone: everybody
 * there may make a folder at a drive's top.
 */
export function clientFiles(environment: Environment, platform: NodeJS.Platform = process.platform): string[] {
  const { XDG_CONFIG_HOME: xdg, HOME, USERPROFILE } = environment
  const home = HOME || USERPROFILE
  const folder = xdg !== undefined && isAbsolute(xdg) ? xdg : home && join(home, '.config')
  const own = folder ? [join(folder, 'postern', 'postern.conf')] : []
  return platform === 'win32' ? own : [...own, ...CLIENT_FILES]
}

/** The first of these that is there. */
export function firstThere(files: readonly string[]): string | undefined {
  return files.find((file) => existsSync(file))
}

/** The server's configuration, out of `file` or of the first of SERVER_FILES. Throws ConfigError. */
export function loadServerConfig(file?: string, reader = thisProcess('daemon'), facts = hostFacts()): ServerConfig {
  const path = file ?? firstThere(SERVER_FILES)
  if (path === undefined)
    throw new ConfigError(
      [{ file: SERVER_FILES[0], line: 0, message: 'no such file: posternd init makes one' }],
      'missing',
    )
  const own = readOwnFile(path, reader)
  const contents = new Contents()
  contents.add(own.text)
  const read = readServerConfig(own.text, path, facts, contents.through(filesFor(reader)))
  const config = { ...read, contents: contents.digest() }
  if (config.users.size === 0) return config
  return { ...config, warnings: [...warningsOfReaders(path, own.facts, reader), ...config.warnings] }
}

/**
 * The client's configuration, out of `file`, which must be there, or of the first of clientFiles(), or an empty one. Throws
 * ConfigError.
 */
export function loadClientConfig(
  file?: string,
  reader = thisProcess('client'),
  environment: Environment = process.env,
): ClientConfig {
  const places = clientFiles(environment)
  const path = file ?? firstThere(places)
  if (path === undefined) return readClientConfig(undefined, places[0] ?? 'postern.conf')
  const own = readOwnFile(path, reader)
  const config = readClientConfig(own.text, path)
  if (config.users.size === 0) return config
  return { ...config, warnings: [...warningsOfReaders(path, own.facts, reader), ...config.warnings] }
}

/** The files that a configuration refers to, as this reader may have them. */
export function filesFor(reader: Reader): ReferredFiles {
  return {
    read: (file) => readOwnFile(file, reader).text,
    readKeys: (file) => {
      const { text, facts } = readOwnFile(file, reader)
      return { text, warnings: warningsOfReaders(file, facts, reader) }
    },
    list: (folder) => listOwnFolder(folder, reader),
  }
}

/** Groups that a packaged daemon runs in: what root checks on the daemon's behalf may be readable by them. */
const DAEMON_GROUPS = ['postern', 'letmeind']

/** This process as a reader of its files. */
export function thisProcess(role: Reader['role']): Reader {
  const uid = process.geteuid?.()
  const own = [...(process.getgroups?.() ?? []), ...(process.getegid ? [process.getegid()] : [])]
  const onBehalf = role === 'daemon' && uid === 0 ? daemonGroups() : []
  return { role, uid, groups: [...own, ...onBehalf] }
}

/** The gids of groups that a packaged daemon runs in; none where nothing was installed. */
export function daemonGroups(): number[] {
  return groupIds(textOf('/etc/group'), DAEMON_GROUPS)
}

/** The gids of these names in the text of /etc/group. */
export function groupIds(group: string, names: readonly string[]): number[] {
  const rows = group.split('\n').map((row) => row.split(':'))
  return rows.filter((row) => names.includes(row[0]!) && /^[0-9]+$/.test(row[2] ?? '')).map((row) => Number(row[2]))
}

/** What this host says about itself; nothing where it does not say. */
export function hostFacts(): ServerFacts {
  const localPorts = localPortRange(textOf('/proc/sys/net/ipv4/ip_local_port_range'))
  return localPorts === undefined ? {} : { localPorts }
}

/** The two numbers of net.ipv4.ip_local_port_range, or undefined. */
export function localPortRange(text: string): PortRange | undefined {
  const [, first, last] = /^\s*([0-9]{1,5})\s+([0-9]{1,5})\s*$/.exec(text) ?? []
  return first === undefined ? undefined : { first: Number(first), last: Number(last) }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
