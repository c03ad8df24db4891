/**
 * What the environment sets for cron and containers: host, user, key file, configuration path. A file of such lines is read
 * only where it is named; the current folder's .env never is, and nothing is put into process.env.
 */
import type { UserId } from '../wire/ids.js'
import { Findings } from './error.js'
import type { Environment } from './files.js'
import { didYouMean } from './nearest.js'
import type { Reader } from './permissions.js'
import { readOwnFile } from './read-file.js'
import { id } from './values.js'

export interface Settings {
  readonly host?: string
  readonly user?: UserId
  /** A configuration file's path. */
  readonly config?: string
  readonly keyFile?: string
}

const NAMES = ['POSTERN_HOST', 'POSTERN_USER', 'POSTERN_CONFIG', 'POSTERN_KEY_FILE'] as const
type Name = (typeof NAMES)[number]
export const ENV_FILE = 'POSTERN_ENV_FILE'

/**
 * What process.env and, where one is named (`file`, else POSTERN_ENV_FILE), an environment file set. What is in process.env
 * comes first; an empty value is none. Throws ConfigError.
 */
export async function readEnvironment(environment: Environment, reader: Reader, file?: string): Promise<Settings> {
  const path = file ?? (environment[ENV_FILE] || undefined)
  if (path === undefined) return settingsOf(environment, '', new Findings('environment'))
  const findings = new Findings(path)
  const { text } = readOwnFile(path, reader)
  // Loaded only here: a client without such a file starts without the parser.
  const { parse } = await import('dotenv')
  const fromFile = parse(text)
  for (const name of Object.keys(fromFile))
    if (name.startsWith('POSTERN_') && !(NAMES as readonly string[]).includes(name))
      findings.refuse(lineOf(text, name), `${name}: expected one of ${NAMES.join(', ')}${didYouMean(name, NAMES)}`)
  const own = settingsOf(environment, '', new Findings('environment'))
  return { ...settingsOf(fromFile, text, findings), ...own }
}

function settingsOf(values: Environment, text: string, findings: Findings): Settings {
  const value = (name: Name) => values[name] || undefined
  const [host, config, keyFile] = [value('POSTERN_HOST'), value('POSTERN_CONFIG'), value('POSTERN_KEY_FILE')]
  const named = value('POSTERN_USER')
  const user = named === undefined ? undefined : id(named.trim())
  if (user !== undefined && 'misfit' in user)
    findings.refuse(lineOf(text, 'POSTERN_USER'), `POSTERN_USER ${user.misfit}: expected ${user.expected}`)
  findings.finish()
  return {
    ...(host === undefined ? {} : { host }),
    ...(user === undefined || 'misfit' in user ? {} : { user: user.value }),
    ...(config === undefined ? {} : { config }),
    ...(keyFile === undefined ? {} : { keyFile }),
  }
}

/** The line that sets a name, 0 where none does. Of two the last counts, as in dotenv. */
function lineOf(text: string, name: string): number {
  return text.split('\n').findLastIndex((line) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*[=:]`).test(line)) + 1
}
