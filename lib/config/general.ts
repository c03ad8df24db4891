/**
 * What both files begin with: the grammar, [GENERAL], [KEYS], and a word on sections that nobody reads.
 */
import { formatId, type UserId } from '../wire/ids.js'
import { type Findings, quote } from './error.js'
import { parseIni, type Section, trim } from './ini.js'
import { didYouMean, nearestName } from './nearest.js'
import { type ControlPort, controlPort, DEFAULT_PORT } from './ports.js'
import { SectionReader } from './section.js'
import { boolean, id, key, oneOf, seconds } from './values.js'

export interface General {
  readonly debug: boolean
  readonly port: ControlPort
  readonly controlTimeoutMs: number
  readonly errorPolicy: 'always' | 'basic-auth' | 'full-auth'
}

const LETMEIN_PORT: ControlPort = { numbers: [DEFAULT_PORT], protocols: ['tcp'] }
const SECTIONS = [
  ...['GENERAL', 'NFTABLES', 'CLIENT', 'KEYS', 'RESOURCES', 'SPA', 'LETMEIN', 'FWKNOP', 'FIREWALL', 'LIMITS'],
  ...['USERS', 'OLD KEYS', 'LOG'],
]

/**
 * The sections of a text; what is wrong with their form, and sections that have no meaning, are noted. A server's file that is
 * not letmein's, which takes any section, is refused where one is a letter off: what stands in it would guard nothing.
 */
export function readSections(
  text: string,
  findings: Findings,
  role: 'server' | 'client',
): ReadonlyMap<string, Section> {
  const { sections, problems } = parseIni(text)
  for (const { line, message } of problems) findings.refuse(line, message)
  const isStrict = role === 'server' && !sections.has('NFTABLES')
  for (const { name, line } of sections.values()) {
    if (SECTIONS.includes(name) || name.startsWith('HOST ')) continue
    const meant = nearestName(name, SECTIONS)
    if (isStrict && meant !== undefined && !sections.has(meant))
      findings.refuse(line, `section ${quote(name)}: expected "${meant}", or a name that is like none of postern's`)
    else findings.warn(line, `section ${quote(name)} has no meaning here, ignored${didYouMean(name, SECTIONS)}`)
  }
  return sections
}

/** A challenge lives for two slots of this length, so neither none nor for ever will do. */
const LEAST_TIMEOUT_MS = 100
const MOST_TIMEOUT_MS = 300_000

/** [GENERAL], as letmein means it; but the policy that needs no line is `basic-auth`. */
export function readGeneral(sections: ReadonlyMap<string, Section>, findings: Findings): General {
  const general = new SectionReader(sections, 'GENERAL', findings)
  const debug = general.take('debug', boolean, false)
  const port = general.take('port', controlPort, LETMEIN_PORT)
  const named = general.take('control-timeout', seconds(), 5000)
  const controlTimeoutMs = Math.min(MOST_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, named))
  if (controlTimeoutMs !== named)
    general.warn('control-timeout', `is taken as ${controlTimeoutMs / 1000} s: 0.1–300 seconds have a meaning`)
  const errorPolicy = general.take('control-error-policy', oneOf('always', 'basic-auth', 'full-auth'), 'basic-auth')
  if (errorPolicy === 'always' && port.protocols.includes('udp'))
    general.warn('control-error-policy', '"always" answers strangers over UDP: basic-auth or full-auth does not')
  if (general.take('seccomp', oneOf('off', 'log', 'kill'), 'off') !== 'off')
    general.warn('seccomp', 'has no meaning for postern, ignored')
  general.finish('warn')
  return { debug, port, controlTimeoutMs, errorPolicy }
}

/** [KEYS]. No message shows anything of a key, wherever in the line it stands. */
export function readKeys(sections: ReadonlyMap<string, Section>, findings: Findings): Map<UserId, Uint8Array> {
  const keys = new Map<UserId, Uint8Array>()
  const lines = new Map<UserId, number>()
  const owners = new Map<string, UserId>()
  for (const { name, value, line } of sections.get('KEYS')?.options ?? []) {
    const user = id(name)
    const bytes = key(trim(value))
    const who = 'value' in user ? formatId(user.value) : name.length > 16 ? `(${name.length} characters)` : quote(name)
    if ('misfit' in user) findings.refuse(line, `[KEYS] user ${who}: expected ${user.expected}`)
    if ('misfit' in bytes)
      findings.refuse(line, `[KEYS] the key of user ${who}: ${bytes.misfit}: expected ${bytes.expected}`)
    if ('misfit' in user || 'misfit' in bytes) continue
    const first = lines.get(user.value)
    if (first !== undefined) findings.refuse(line, `[KEYS] user ${who} is here twice: the first is in line ${first}`)
    // Tags and tokens are made of the key alone, so the kernel cannot tell two users who share one.
    const owner = owners.get(trim(value).toLowerCase())
    if (owner !== undefined && owner !== user.value)
      findings.warn(line, `[KEYS] user ${who} has the key of user ${formatId(owner)}: expected a key of its own`)
    owners.set(trim(value).toLowerCase(), user.value)
    keys.set(user.value, bytes.value)
    lines.set(user.value, line)
  }
  return keys
}
