/** What the daemon's memory says of users who were refused lately, and not let in since. Pure. */
import type { KnockEvent } from '../../../daemon/events.js'
import { REASONS, type Reason } from '../../../daemon/reasons.js'
import type { Finding } from '../../finding.js'

const LATELY_MS = 15 * 60_000
const MOST = 5

/** What to do about a word of the log; the others want a look at what the file says. */
const MENDS: Readonly<Record<string, string>> = {
  window: 'timedatectl set-ntp true   # on the user’s machine, and here where this clock is wrong',
  'fwknop-age': 'timedatectl set-ntp true   # on the user’s machine, and here where this clock is wrong',
  slot: 'timedatectl set-ntp true   # on the user’s machine',
  'old-key': 'posternd enroll --help   # postern add takes the new line on the user’s machine',
  unheard: 'postern knock HOST PORT   # again, on the user’s machine',
  untrusted: 'postern knock HOST PORT   # again, on the user’s machine',
  late: 'postern knock HOST PORT   # again, on the user’s machine',
  horizon: 'df -h /var/lib/postern',
  journal: 'df -h /run',
  salts: 'df -h /var/lib/postern',
  full: 'posternd check   # and raise [LIMITS] replay-entries',
  replayed: 'posternd log --refused   # where it came from: a recording, or a network that doubles datagrams',
  salt: 'posternd log --refused   # where it came from: a recording, or a network that doubles datagrams',
  firewall: 'nft list ruleset',
  'user-limit': 'posternd status   # and raise [LIMITS] leases-per-user',
  'resource-limit': 'posternd status   # and raise leases: of the resource',
}

/**
 * One finding for each user and reason, the latest first. While the replay journal is not trusted (`untrustedBelowMs`, Unix ms,
 * lies ahead) `ofDaemon` says that of all, and until when: nobody's own refusal for it is told again.
 */
export function ofRefusals(events: readonly KnockEvent[], nowMs: number, untrustedBelowMs = 0): Finding[] {
  const seen = new Set<string>()
  const found: Finding[] = []
  for (const event of [...events].reverse()) {
    const { user, reason = '', atMs } = event
    if (user === undefined || nowMs - atMs > LATELY_MS) continue
    if (event.event !== 'refused') {
      seen.add(user)
      continue
    }
    if (seen.has(user) || seen.has(`${user} ${reason}`) || found.length === MOST) continue
    seen.add(`${user} ${reason}`)
    if (reason === 'untrusted' && untrustedBelowMs > nowMs) continue
    found.push({ code: `refused-${reason}`, sentence: sentenceOf(event, nowMs), mend: mendOf(event) })
  }
  return found
}

function sentenceOf(
  { user, userName, reason = '', address, detail, atMs, message }: KnockEvent,
  nowMs: number,
): string {
  const who = userName === undefined ? `user ${user}` : `user ${userName} (${user})`
  const why = REASONS[reason as Reason] ?? /refused \((.*)\): /.exec(message)?.[1] ?? reason
  const more = detail === undefined || why.includes(detail) ? '' : ` (${detail})`
  return `${who} was refused ${Math.max(0, Math.round((nowMs - atMs) / 1000))} s ago, from ${address}: ${why}${more}`
}

function mendOf({ reason = '', userName, user }: KnockEvent): string {
  return (
    MENDS[reason] ??
    `posternd check && posternd log --refused --user ${userName?.includes(':') ? user : (userName ?? user)}`
  )
}
