/** What gives a port away, in a sentence, and what on the server mends it. Pure. */
import type { Difference } from './compare.js'
import { type Look, lookWords, type Protocol } from './look.js'

export interface Mend {
  readonly why: string
  /** What to do on the server, first the best. */
  readonly cure: string
  /** A command that mends it whatever the host's own rules are; none: no rule can. */
  readonly command?: string
  /** A line of posternd.conf, `[SECTION] name = value`. */
  readonly setting?: string
}

/** The table that the commands below make: ahead of the host's own rules, behind postern's. */
export const HIDING_TABLE = 'postern_hides'

/** How it can be mended. */
export function mendOf({ sign, seen, usual }: Difference): Mend {
  const port = `${seen.protocol.toUpperCase()} ${seen.port}`
  const others = `closed ports are ${lookWords(usual)}`
  switch (sign) {
    case 'let-through':
      return {
        why: `a rule of the server's firewall accepts ${port}, where nothing listens, so the host itself answers; ${others}`,
        cure: `remove that rule: postern needs none (${findRule(seen.port)})`,
        ...withCommand(seen, usual.look),
      }
    case 'swallowed':
      return {
        why: `a rule drops ${port}, or a program is bound to it; ${others}`,
        cure: `remove the rule (${findRule(seen.port)}), end the program (ss -lpn sport = :${seen.port})`,
        ...withCommand(seen, usual.look),
      }
    case 'other-answer':
      return {
        why: `${port} is ${lookWords(seen)}; ${others}`,
        cure: `remove the rule that names the port (${findRule(seen.port)})`,
        ...withCommand(seen, usual.look),
      }
    case 'letmein':
      return {
        why: `a datagram of letmein's form with this user's number is swallowed at ${port}; ${others}: letmein is heard here`,
        cure: 'turn letmein off, let the server’s firewall drop instead of reject, or give users numbers that nobody guesses',
        setting: '[LETMEIN] enabled = no',
      }
    case 'answered':
      return {
        why: `a program answers at ${port}`,
        cure: `end it (ss -lpn sport = :${seen.port}), or knock at another port`,
        ...withCommand(seen, usual.look),
      }
    case 'open':
      return seen.role === 'guarded'
        ? {
            why: `${port} is open from here`,
            cure: 'end the lease of this address, or put the gate up (posternd status, posternd doctor), and look again',
          }
        : {
            why: `a program listens at ${port}; letmein over TCP answers every SYN and is never hidden`,
            cure: 'hear letmein over UDP alone, or end the program',
            setting: `[GENERAL] port = ${seen.port} / udp`,
          }
    case 'guarded':
      return guardedMend({ sign, seen, usual })
    case 'closed-unlike':
      return {
        why: `${port} is no port of postern's and is ${lookWords(seen)}, while other ${others}`,
        cure: 'something else stands out there; look again, with other ports',
      }
    default:
      return sign satisfies never
  }
}

function guardedMend({ seen, usual }: Difference): Mend {
  const port = `${seen.protocol.toUpperCase()} ${seen.port}`
  const why = `guarded port ${port} is ${lookWords(seen)}; closed ports are ${lookWords(usual)}`
  if (usual.look === 'silent')
    return { why, cure: 'let guarded ports be dropped as the others are', setting: '[FIREWALL] closed = drop' }
  if (usual.look === 'refused')
    return { why, cure: 'let guarded ports be refused as the others are', setting: '[FIREWALL] closed = reject' }
  return {
    why,
    cure: 'a guarded port cannot answer like that: let the server’s firewall drop what it now rejects (remove its last reject where its policy is drop; firewalld: firewall-cmd --permanent --set-target=DROP), with',
    setting: '[FIREWALL] closed = drop',
  }
}

function findRule(port: number): string {
  return `nft -a list ruleset | grep -w ${port} finds it; then nft delete rule … handle …`
}

/** A chain of its own that decides as the host decides about its closed ports. None where no rule can. */
function withCommand({ protocol, port, family }: Difference['seen'], usual: Look): Pick<Mend, 'command'> {
  const verdict = verdictOf(protocol, usual)
  if (verdict === undefined) return {}
  const rule = `meta nfproto ipv${family} ${protocol} dport ${port} ${verdict};`
  const chain = `chain ipv${family} { type filter hook input priority -5; ${rule} }`
  return { command: `nft 'table inet ${HIDING_TABLE} { ${chain}; }'` }
}

function verdictOf(protocol: Protocol, usual: Look): string | undefined {
  // A host that forbids has to drop before it is hidden: no guarded port can answer like that.
  if (usual === 'silent' || usual === 'prohibited') return 'drop'
  if (usual !== 'refused') return undefined
  return protocol === 'tcp' ? 'reject with tcp reset' : 'reject with icmpx port-unreachable'
}
