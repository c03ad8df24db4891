/** What a knock that was looked at from all sides means. The server never answers, so what is left is said with what to compare. Pure. */
import type { Examined, Seen } from '../../client/examine.js'
import type { Look } from '../../client/try-port.js'
import type { Finding, Report } from '../finding.js'

export interface Circumstances {
  readonly host: string
  /** As other programs know it, which have not read postern's file. */
  readonly address: string
  /** What the two sides are to compare beside the time, where nothing else is known. */
  readonly compare: string
  /** Where the server's side is asked. */
  readonly mend: string
  /** The server can be asked to shut again. */
  readonly canRevoke: boolean
  readonly controlPort: number | 'any'
  readonly nowMs: number
  /** letmein's exchange, which needs no clock, got in where postern's own knock did not. */
  readonly exchangeGotIn?: boolean
}

const LOOKS: Readonly<Record<Look['kind'], string>> = {
  open: 'open',
  refused: 'refused',
  silent: 'no answer',
  blocked: 'not let out by this machine',
  unreachable: 'no way there',
}

/** All that can be told. */
export function judgeKnock(examined: Examined, about: Circumstances): Report {
  const unsent = ofSendings(examined, about)
  const notes = [
    ...new Set(examined.seen.filter(({ before }) => before.kind === 'open').map((seen) => openBefore(seen, about))),
  ]
  if (examined.seen.length === 0)
    return {
      findings: unsent,
      notes: [...notes, 'no TCP port to look at: whether the knock was heard is in posternd log on the server'],
    }
  const isSomeOpen = examined.seen.some(({ after }) => after.kind === 'open')
  if (isSomeOpen) return { findings: ofFamilies(examined, about), notes }
  return { findings: unsent.length > 0 ? unsent : [ofShut(examined, about)], notes }
}

/** Only what kept all datagrams of an address back is a cause. */
function ofSendings({ sendings }: Examined, { controlPort }: Circumstances): Finding[] {
  const failed = sendings.filter(({ error }) => error !== undefined)
  if (failed.length === 0 || failed.length < sendings.length) return []
  const { code = '' } = failed[0]!.error!
  const to = failed[0]!.outgoing.to.address
  const port = controlPort === 'any' ? '' : ` port ${controlPort}`
  return [
    code === 'EPERM' || code === 'EACCES'
      ? {
          code: 'blocked-here',
          sentence: `this machine’s own firewall does not let the knock out to ${to} (UDP${port}: ${code})`,
          mend: 'sudo nft list ruleset   # an output chain that drops it; or ufw, firewalld, a VPN’s kill switch',
        }
      : {
          code: 'no-route',
          sentence: `the knock could not be sent to ${to} (${code}): this machine has no way there`,
          mend: `ip route get ${to}`,
        },
  ]
}

function ofFamilies({ seen }: Examined, { host, address }: Circumstances): Finding[] {
  const ports = [...new Set(seen.map(({ port }) => port))]
  return ports.flatMap((port) => {
    const here = seen.filter((one) => one.port === port)
    const open = here.find(({ after }) => after.kind === 'open')
    const shut = here.find(({ after }) => after.kind !== 'open')
    if (open === undefined && shut !== undefined)
      return [
        {
          code: 'one-port',
          sentence: `port ${port} of ${host} stays shut (${wordsOf([shut])}) while another opens: nothing listens there, or it is another resource’s`,
          mend: 'posternd doctor   # on the server',
        },
      ]
    if (open === undefined || shut === undefined || shut.after.kind === 'unreachable') return []
    return [
      {
        code: 'one-address',
        sentence: `port ${port} opens at ${open.to.address} and stays shut at ${shut.to.address} (${LOOKS[shut.after.kind]}): what connects to that one does not get in`,
        mend: `ssh -${open.to.family} ${address}`,
      },
    ]
  })
}

function ofShut({ seen }: Examined, about: Circumstances): Finding {
  const { host, compare, mend, nowMs, exchangeGotIn } = about
  const time = new Date(nowMs).toISOString()
  if (exchangeGotIn)
    return {
      code: 'clock-or-realm',
      sentence: `postern’s own knock opens nothing and letmein’s exchange, which needs no clock, gets in: the clocks are more than a minute apart (here it is ${time}), or [SPA] realm differs`,
      mend: 'date -u   # here and on the server; then timedatectl set-ntp true where it is wrong',
    }
  const kinds = new Set(seen.map(({ after }) => after.kind))
  if (kinds.size === 1 && kinds.has('unreachable'))
    return {
      code: 'unreachable',
      sentence: `there is no way from here to ${host} (${[...new Set(seen.map(({ after }) => after.code))].join(', ')})`,
      mend: `ip route get ${seen[0]!.to.address}`,
    }
  if (kinds.size === 1 && kinds.has('blocked'))
    return {
      code: 'blocked-here',
      sentence: `this machine’s own firewall lets no connection out to port ${seen[0]!.port} of ${host}`,
      mend: 'sudo nft list ruleset',
    }
  const silence = kinds.has('refused')
    ? 'the host answers, so it is up'
    : 'nothing came back: it is down, or drops what is shut'
  return {
    code: 'shut',
    sentence: `${portsOf(seen)} of ${host} stays shut (${wordsOf(seen)}; ${silence}) and the server never says why: it saw no knock, or refused it; compare there the time (here it is ${time}), ${compare}`,
    mend,
  }
}

function openBefore({ to, port }: Seen, { host, canRevoke }: Circumstances): string {
  const whether = canRevoke
    ? `postern revoke ${host} ${port}, and the doctor again, show it; where the port is open behind that, too, the server took no word of this machine (another key, realm or time), or nobody guards it`
    : 'once the lease has ended, the doctor shows it; where the port is open then, too, nobody guards it'
  return `port ${port} at ${to.address} was open before the knock, by a lease that lives or because nobody guards it, so it is not known whether this knock opens: ${whether}`
}

/** "port 22, 80". */
export function portsOf(seen: readonly Seen[]): string {
  const ports = [...new Set(seen.map(({ port }) => port))]
  return `port ${ports.join(', ')}`
}

function wordsOf(seen: readonly Seen[]): string {
  return seen.map(({ to, after }) => `${to.address}: ${LOOKS[after.kind]}`).join(', ')
}
