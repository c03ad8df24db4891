/** What a new installation is to be, and the configuration file that says so. Pure. */
import { quote } from '../../../config/error.js'
import { formatRange, portRanges } from '../../../config/ports.js'
import type { PortRange } from '../../../config/types.js'
import { userName } from '../../../config/users.js'
import { hostName } from '../../../config/values.js'
import { formatId } from '../../../wire/ids.js'

export interface Wishes {
  /** TCP ports to guard. */
  readonly ports: readonly PortRange[]
  /** Which of them are sshd's. */
  readonly sshPorts: readonly number[]
  readonly knockPort: number | 'any'
  /** Where clients reach the server; the realm too, where that is not said. */
  readonly host: string
  readonly realm: string
  /** The name of the first user. */
  readonly user: string
}

/** What is wrong with a text, as a sentence; undefined: nothing. */
export type Check = (text: string) => string | undefined

export const CHECKS = {
  ports: (text) => {
    const reading = wishedPorts(text)
    return 'misfit' in reading
      ? `ports ${reading.misfit}: expected ${reading.expected}, like 22 or 22,8000-8010`
      : undefined
  },
  knockPort: (text) =>
    text === 'any' || (/^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535)
      ? undefined
      : `knock port ${quote(text)}: expected 1–65535, or any`,
  host: (text) =>
    'misfit' in hostName(text) || /[[\]=]/.test(text)
      ? `host ${quote(text)}: expected a name or an address, like gate.example.org`
      : undefined,
  realm: (text) =>
    text === '' || /\p{Cc}/u.test(text) || text.length > 80
      ? `realm ${quote(text)}: expected 1–80 characters`
      : undefined,
  user: (text) => {
    const reading = userName(text)
    return 'misfit' in reading ? `user ${reading.misfit}: expected ${reading.expected}` : undefined
  },
} as const satisfies Record<string, Check>

/** As in a file, or with blanks between them, as one may well type them. */
export function wishedPorts(text: string): ReturnType<typeof portRanges> {
  return portRanges(
    text
      .trim()
      .replace(/\s*-\s*/g, '-')
      .replace(/[\s,]+/g, ','),
  )
}

/** The whole file. `key`: 32 bytes, of user 00000001. */
export function configText({ ports, sshPorts, knockPort, host, realm, user }: Wishes, key: Uint8Array): string {
  const isSsh = ({ first, last }: PortRange) => first === last && sshPorts.includes(first)
  const ssh = ports.filter(isSsh)
  const others = ports.filter((range) => !isSsh(range))
  const resources = [
    ...(ssh.length > 0 ? [resource(ssh, 'ssh')] : []),
    ...others.map((range) => resource([range], `port-${formatRange(range)}`)),
  ]
  return `# postern, the server's file, as posternd init made it. All that it can say: man posternd.conf.
# It holds keys: root's, and for the daemon to read. After each edit: posternd check && systemctl reload postern

[GENERAL]
# Where knocks are heard. Nothing is bound there.
port = ${knockPort} / udp

[SPA]
# Names this server; its clients say the same.
realm = ${realm}
${host === realm ? '' : `host = ${host}\n`}
[USERS]
00000001 = name: ${user}

[KEYS]
# posternd enroll NAME adds one, posternd rotate NAME changes one, posternd remove NAME takes one out.
00000001 = ${Buffer.from(key).toString('hex').toUpperCase()}

[RESOURCES]
# Each is shut until somebody knocks for it; timeout: how long a lease is, in seconds.
${resources.join('\n')}
`
}

/** With an id that reads like its port. */
function resource(ranges: readonly PortRange[], name: string): string {
  const id = Number.parseInt(String(ranges[0]!.first), 16)
  const lease = name === 'ssh' ? ' / timeout: 60 / max-timeout: 3600' : ' / timeout: 600'
  return `${formatId(id)} = port: ${ranges.map(formatRange).join(',')} / name: ${name}${lease}`
}
