/**
 * The names that access.conf knows: what is honoured, what has no effect, and what is refused, with what to do instead. A name
 * that fwknopd does not know is refused too: it would pass over a misspelled OPEN_PORTS, and open every port.
 */
import { type Findings, quoteName } from './error.js'
import type { FwknopLine } from './fwknop-lines.js'
import { fwknopSwitch } from './fwknop-values.js'
import { didYouMean } from './nearest.js'

/** What is honoured, and under which name: of two lines of the same the last counts. */
const HONOURED: ReadonlyMap<string, string> = new Map([
  ...[
    'DESTINATION',
    'HMAC_DIGEST_TYPE',
    'ENCRYPTION_MODE',
    'OPEN_PORTS',
    'RESTRICT_PORTS',
    'FW_ACCESS_TIMEOUT',
    'MAX_FW_TIMEOUT',
    'REQUIRE_USERNAME',
  ].map((name) => [name, name] as const),
  ['KEY', 'KEY'],
  ['KEY_BASE64', 'KEY'],
  ['HMAC_KEY', 'HMAC_KEY'],
  ['HMAC_KEY_BASE64', 'HMAC_KEY'],
  ['REQUIRE_SOURCE_ADDRESS', 'REQUIRE_SOURCE_ADDRESS'],
  ['REQUIRE_SOURCE', 'REQUIRE_SOURCE_ADDRESS'],
  ['ACCESS_EXPIRE', 'ACCESS_EXPIRE'],
  ['ACCESS_EXPIRE_EPOCH', 'ACCESS_EXPIRE'],
])

const COMMANDS = 'postern runs no commands: delete the line, and use ssh for them'
export const NAT =
  'postern does no NAT: delete the line, and forward with a rule of the host; [FIREWALL] guard-forward guards it'
const GNUPG = 'GnuPG is not spoken here: delete the line, and give the stanza a KEY_BASE64 and an HMAC_KEY_BASE64'

/** Refused where the value is yes; no is what they are anyway. */
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['ENABLE_CMD_EXEC', COMMANDS],
  ['ENABLE_CMD_SUDO_EXEC', COMMANDS],
  ['FORCE_MASQUERADE', NAT],
  ['DISABLE_DNAT', NAT],
  ['FORWARD_ALL', NAT],
])

const CYCLE = 'postern opens the port in nftables by itself: delete the line, and name what may be opened in OPEN_PORTS'
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['CMD_CYCLE_OPEN', CYCLE],
  ['CMD_CYCLE_CLOSE', CYCLE],
  ['CMD_CYCLE_TIMER', CYCLE],
  ['FORCE_NAT', NAT],
  ['FORCE_SNAT', NAT],
])

/** Of no effect without ENABLE_CMD_EXEC, in fwknopd too. */
const HARMLESS = ['CMD_EXEC_USER', 'CMD_EXEC_GROUP', 'CMD_SUDO_EXEC_USER', 'CMD_SUDO_EXEC_GROUP']

const KNOWN = ['SOURCE', '%include', '%include_folder', '%include_keys', ...HONOURED.keys(), ...SWITCHES.keys()]

/** The name under which a line of a stanza counts; undefined where it does not, which is said where it has to be. */
export function heeded({ name, value, line }: FwknopLine, findings: Findings): string | undefined {
  const honoured = HONOURED.get(name)
  if (honoured !== undefined || HARMLESS.includes(name)) return honoured
  const unlessNo = SWITCHES.get(name)
  if (unlessNo !== undefined) {
    const reading = fwknopSwitch(value)
    if ('misfit' in reading) findings.refuse(line, `${name} ${reading.misfit}: expected ${reading.expected}`)
    else if (reading.value) findings.refuse(line, `${name} ${value}: ${unlessNo}`)
    return undefined
  }
  const why = name.startsWith('GPG_') ? GNUPG : REFUSED.get(name)
  if (why !== undefined) findings.refuse(line, `${name}: ${why}`)
  else findings.refuse(line, `${quoteName(name)}: expected a name that fwknopd knows${didYouMean(name, KNOWN)}`)
  return undefined
}
