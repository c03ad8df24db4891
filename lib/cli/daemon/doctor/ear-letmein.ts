/** What a KNOCK of letmein's client says that was overheard on its way in. It has no time in it, so no clock can be wrong. Pure. */
import type { ServerConfig } from '../../../config/types.js'
import { idWords, userWords } from '../../../daemon/called.js'
import { formatId, type UserId } from '../../../wire/ids.js'
import { authOf, decode, isLetmein, isSameAuth, type Message, ZERO_AUTH } from '../../../wire/letmein.js'
import type { Finding } from '../../finding.js'
import { because, type Caught, type Ear, placeWords } from './caught.js'
import type { Datagram } from './overhear.js'

/** A client repeats its KNOCK, and answers a CHALLENGE at once. */
const RESPONSE_WITHIN_MS = 4_000
/** Those of the KNOCKs that a client repeats. */
const MOST_CHALLENGES = 4

/** `wanted`: whose KNOCKs are listened for; undefined: everybody's. */
export function letmeinEar(config: ServerConfig, wanted: UserId | undefined): Ear {
  const { letmein } = config
  return (datagram) => {
    const message = isLetmein(datagram.payload) ? decode(datagram.payload) : undefined
    if (message === undefined || 'why' in message) return undefined
    if (message.operation !== 'KNOCK' && message.operation !== 'REVOKE') return undefined
    if (wanted !== undefined && message.user !== wanted) return undefined
    if (!letmein.enabled) return because('claimed', isOff(message, datagram, config))
    return judge(message, datagram, config)
  }
}

function judge(message: Message, datagram: Datagram, config: ServerConfig): Caught {
  const { users, oldKeys, people, resources, letmein, file } = config
  const { user, resource: id } = message
  const { source, port, atMs } = datagram
  const who = userWords(user, people.get(user))
  const arrived = `letmein’s ${message.operation} of ${who} arrived from ${source}`
  const key = users.get(user)
  if (key === undefined)
    return because('claimed', {
      code: 'unknown-user',
      sentence: `${arrived}, and ${file} has no key of this user; anybody can send an id`,
      mend: `posternd enroll ${formatId(user)}   # the line has his new key: postern add takes it on that machine`,
    })
  const keys = [key, ...(oldKeys.get(user) ?? []).filter(({ untilMs }) => untilMs > atMs).map((old) => old.key)]
  if (!keys.some((one) => isSameAuth(authOf(one, message, ZERO_AUTH as Uint8Array), message.auth)))
    return because('claimed', {
      code: 'another-key',
      sentence: `${arrived}, and it is made with another key than the one that ${file} has for him, or by somebody else who sends his id`,
      mend: `posternd enroll ${formatId(user)} --again   # postern add takes the line on that machine`,
    })
  const findings: Finding[] = []
  const { udp } = letmein.ports
  if (udp !== 'any' && !udp.includes(port))
    findings.push({
      code: 'knock-port',
      sentence: `${arrived} at UDP port ${port}, and letmein’s clients are heard at ${placeWords(udp)}`,
      mend: `letmein knock --server-port ${udp[0]} HOST PORT   # on that machine; or [GENERAL] port in its letmein.conf`,
    })
  const resource = resources.get(id)
  if (resource === undefined)
    findings.push({
      code: 'resource',
      sentence: `${arrived} for resource ${formatId(id)}, which ${file} does not have: that machine’s [RESOURCES] differs`,
      mend: 'posternd check   # lists the resources and their ids',
    })
  else if (resource.users !== undefined && !resource.users.includes(user))
    findings.push({
      code: 'not-allowed',
      sentence: `${arrived} for resource ${idWords(id, resource)}, which is not for him (${file}:${resource.line})`,
      mend: `sed -i '${resource.line}s/users: */&${formatId(user)}, /' ${file} && posternd check && systemctl reload postern`,
    })
  if (findings.length > 0) return { kind: 'own', report: { findings, notes: [] } }
  return { kind: 'own', report: { findings: [], notes: [] }, next: exchange(message, arrived, datagram, keys) }
}

/** Of one KNOCK: the CHALLENGEs that leave for it, and a RESPONSE that was made of one of them with the user's key. */
function exchange(
  { user, resource }: Message,
  arrived: string,
  { source, port }: Datagram,
  keys: readonly Uint8Array[],
): NonNullable<Caught['next']> {
  const challenges: Uint8Array[] = []
  return {
    forMs: RESPONSE_WITHIN_MS,
    judge: ({ way, source: from, destination, payload }) => {
      const next = isLetmein(payload) ? decode(payload) : undefined
      if (next === undefined || 'why' in next || next.user !== user || next.resource !== resource) return undefined
      if (way === 'out' && next.operation === 'CHALLENGE' && destination === source) {
        challenges.push(next.auth)
        if (challenges.length > MOST_CHALLENGES) challenges.shift()
      }
      if (way === 'out' || from !== source || next.operation !== 'RESPONSE') return undefined
      const isHis = keys.some((key) => challenges.some((one) => isSameAuth(authOf(key, next, one), next.auth)))
      return isHis
        ? { findings: [], notes: [`${arrived} with the right key, and it answered the CHALLENGE`] }
        : undefined
    },
    end: () => ({ findings: [unanswered(arrived, port, challenges.length > 0)], notes: [] }),
  }
}

/** Only where nothing else is found: a daemon that is down sends none either. */
export const UNANSWERED = 'challenge-lost'

function unanswered(arrived: string, port: number, hasLeft: boolean): Finding {
  if (hasLeft)
    return {
      code: UNANSWERED,
      sentence: `${arrived} with the right key, its CHALLENGE left from UDP port ${port}, and no RESPONSE followed: it did not get there, or what answers it does not get here`,
      mend: 'postern doctor HOST   # on that machine, whose firewall or NAT may drop it; letmein over TCP is another way',
    }
  return {
    code: UNANSWERED,
    sentence: `${arrived} with the right key, and no CHALLENGE left this host for it`,
    mend: 'nft list ruleset   # a chain with "hook output" that drops it; posternd log --refused tells of a recording',
  }
}

function isOff({ operation, user }: Message, { source }: Datagram, { file, people }: ServerConfig): Finding {
  return {
    code: 'letmein-off',
    sentence: `letmein’s ${operation} of ${userWords(user, people.get(user))} arrived from ${source}, and letmein’s clients are not heard here`,
    mend: `printf '\\n[LETMEIN]\\nenabled = yes\\n' >>${file} && posternd check && systemctl reload postern`,
  }
}
