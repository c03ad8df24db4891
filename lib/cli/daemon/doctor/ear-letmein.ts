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

/** `wanted`: whose KNOCKs are listened for; undefined: everybody's. */
export function letmeinEar(config: ServerConfig, wanted: UserId | undefined): Ear {
  const { letmein } = config
  return (datagram) => {
    const message = isLetmein(datagram.payload) ? decode(datagram.payload) : undefined
    if (message === undefined || 'why' in message) return undefined
    if (message.operation !== 'KNOCK' && message.operation !== 'REVOKE') return undefined
    if (wanted !== undefined && message.user !== wanted) return undefined
    if (!letmein.enabled) return because('near', isOff(message, datagram, config))
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
    return because('near', {
      code: 'unknown-user',
      sentence: `${arrived}, and ${file} has no key of this user`,
      mend: `posternd enroll ${formatId(user)}   # the line has his new key: postern add takes it on that machine`,
    })
  const keys = [key, ...(oldKeys.get(user) ?? []).filter(({ untilMs }) => untilMs > atMs).map((old) => old.key)]
  if (!keys.some((one) => isSameAuth(authOf(one, message, ZERO_AUTH as Uint8Array), message.auth)))
    return because('near', {
      code: 'another-key',
      sentence: `${arrived}, and it is made with another key than the one that ${file} has for him`,
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
  return {
    kind: 'own',
    report: { findings: [unanswered(arrived, port)], notes: [] },
    next: {
      forMs: RESPONSE_WITHIN_MS,
      judge: ({ source: from, payload }) => {
        const next = from === source && isLetmein(payload) ? decode(payload) : undefined
        if (next === undefined || 'why' in next || next.operation !== 'RESPONSE' || next.user !== user) return undefined
        return { findings: [], notes: [`${arrived} with the right key, and it answered the CHALLENGE`] }
      },
    },
  }
}

/** Only where nothing else is found: a daemon that is down sends none either. */
export const UNANSWERED = 'challenge-lost'

function unanswered(arrived: string, port: number): Finding {
  return {
    code: UNANSWERED,
    sentence: `${arrived} with the right key, and no RESPONSE followed: the CHALLENGE, which leaves from UDP port ${port}, did not get there`,
    mend: 'nft list ruleset   # a chain with "hook output" that drops it, here or on the way; posternd log --refused tells of a recording',
  }
}

function isOff({ operation, user }: Message, { source }: Datagram, { file, people }: ServerConfig): Finding {
  return {
    code: 'letmein-off',
    sentence: `letmein’s ${operation} of ${userWords(user, people.get(user))} arrived from ${source}, and letmein’s clients are not heard here`,
    mend: `printf '\\n[LETMEIN]\\nenabled = yes\\n' >>${file} && posternd check && systemctl reload postern`,
  }
}
