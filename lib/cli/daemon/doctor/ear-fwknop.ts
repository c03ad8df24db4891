/** What a packet of fwknop's says that was overheard on its way in: which stanza's it is, and all that speaks against it. Pure. */
import type { FwknopConfig } from '../../../config/types.js'
import { MIN_CHARS } from '../../../gate/fwknop.js'
import { judgeMessage } from '../../../gate/fwknop-policy.js'
import type { FwknopStanza } from '../../../gate/fwknop-stanza.js'
import { membership } from '../../../gate/prefix.js'
import { addressToKey } from '../../../wire/address.js'
import { decryptPacket, type FwknopPacket, hmacMatches, MAX_CHARS, readPacket } from '../../../wire/fwknop.js'
import { ANY_ADDRESS, accessOf } from '../../../wire/fwknop-access.js'
import { DIGEST_CHARS } from '../../../wire/fwknop-digest.js'
import type { FwknopMessage } from '../../../wire/fwknop-text.js'
import { type FwknopDigest, type FwknopMode, portName } from '../../../wire/fwknop-types.js'
import type { Finding } from '../../finding.js'
import { because, type Caught, clockWords, type Ear, MENDS, placeWords } from './caught.js'
import type { Datagram } from './overhear.js'

const FWKNOP_PORT = 62_201
const DIGESTS = Object.keys(DIGEST_CHARS) as FwknopDigest[]
const MODES: readonly FwknopMode[] = ['cbc', 'legacy', 'ctr', 'cfb', 'ofb', 'ecb']

/** `wanted`: the stanza whose packets are listened for; undefined: each of them. */
export function fwknopEar(fwknop: FwknopConfig | undefined, wanted?: FwknopStanza): Ear {
  return (datagram) => {
    const { payload, source } = datagram
    if (payload.length < MIN_CHARS || payload.length > MAX_CHARS) return undefined
    const packet = readPacket(payload)
    if ('why' in packet) return undefined
    if (fwknop === undefined)
      return because('alike', {
        code: 'fwknop-off',
        sentence: `from ${source} came a packet of fwknop’s form, and fwknop’s clients are not heard here: [FWKNOP] names no access-file`,
        mend: 'posternd import fwknop   # says what /etc/fwknop/access.conf would mean here, and how to take it over',
      })
    const stanzas = wanted === undefined ? fwknop.settings.stanzas : [wanted]
    const authentic = stanzas.filter(
      (stanza) => stanza.keys.hmac !== undefined && hmacMatches(packet, stanza.keys.hmac),
    )
    const caught = authentic.map((stanza) => ofStanza(stanza, packet, datagram, fwknop))
    const open = stanzas.filter(({ keys }) => keys.hmac === undefined && messageIn(packet, keys) !== undefined)
    if (authentic.length === 0) caught.push(...open.map((stanza) => ofStanza(stanza, packet, datagram, fwknop)))
    // As the gate does it: the first stanza that grants all wins; else the first one's reason is told.
    const best = caught.find(({ report }) => report.findings.length === 0) ?? caught[0]
    return best ?? near(stanzas, packet, datagram) ?? because('alike', anotherKey(stanzas, datagram))
  }
}

/** What one stanza, whose HMAC it has, makes of it. */
function ofStanza(stanza: FwknopStanza, packet: FwknopPacket, datagram: Datagram, fwknop: FwknopConfig): Caught {
  const { keys, title } = stanza
  const { source, destination, port, atMs } = datagram
  const message = messageIn(packet, keys)
  const arrived = `the packet of fwknop’s stanza ${title} arrived from ${source}`
  if (message === undefined) {
    const mode = MODES.find((one) => messageIn(packet, { ...keys, mode: one }) !== undefined)
    const what = mode === undefined ? 'another KEY' : `ENCRYPTION_MODE ${mode}, where the stanza has ${keys.mode}`
    return because('own', {
      code: 'fwknop-key',
      sentence: `${arrived} with its HMAC_KEY and with ${what}, so it cannot be read`,
      mend: rcMend(mode === undefined ? 'KEY' : 'ENCRYPTION_MODE', title),
    })
  }
  const { settings, ports } = fwknop
  const findings: Finding[] = []
  const offMs = message.timeSeconds * 1000 - atMs
  // Its time is of whole seconds.
  if (Math.abs(offMs) > settings.maxAgeMs)
    findings.push({
      code: 'clock-off',
      sentence: `${arrived}, and ${clockWords(offMs, atMs, settings.maxAgeMs)}`,
      mend: MENDS.clock,
    })
  if (ports !== 'any' && !ports.includes(port))
    findings.push({
      code: 'knock-port',
      sentence: `${arrived} at UDP port ${port}, and fwknop’s clients are heard at ${placeWords(ports)}`,
      mend: `postern knock --protocol fwknop --port ${ports.includes(FWKNOP_PORT) ? FWKNOP_PORT : ports[0]} HOST PORT   # on that machine; SPA_SERVER_PORT in its ~/.fwknoprc`,
    })
  for (const [name, prefixes, address] of [
    ['SOURCE', stanza.sources, source],
    ['DESTINATION', stanza.destinations, destination],
  ] as const)
    if (prefixes !== undefined && !membership(prefixes)(addressToKey(address)))
      findings.push({
        code: 'fwknop-source',
        sentence: `${arrived}${name === 'SOURCE' ? '' : ` for ${address}`}, and the stanza’s ${name} does not have ${address}`,
        mend: confMend(stanza, `add ${address} to its ${name}`),
      })
  // But for time, which is judged here.
  const { expiresMs = Number.POSITIVE_INFINITY, ...lasting } = stanza
  const judged = judgeMessage(message, lasting, settings, source, message.timeSeconds * 1000)
  if (atMs >= expiresMs) findings.push(denied(stanza, message, arrived))
  else if ('why' in judged) findings.push(denied(stanza, message, arrived, judged))
  const named = accessOf(message.message)?.address
  if (findings.length === 0 && named !== undefined && named !== ANY_ADDRESS && named !== source)
    findings.push({
      code: 'address-differs',
      sentence: `${arrived} and opens for ${named}, which it names: connections from there come from ${source} too, where a NAT stands between`,
      mend: 'postern knock --protocol fwknop --address source HOST PORT   # ALLOW_IP source in ~/.fwknoprc; fwknop’s own client: fwknop -s',
    })
  const off = `its time is ${(Math.abs(offMs) / 1000).toFixed(0)} s off`
  const notes = findings.length > 0 ? [] : [`${arrived} with the right keys (user name "${message.username}"); ${off}`]
  return { kind: 'own', report: { findings, notes } }
}

/** What the stanza has against what it asks for. */
function denied(
  stanza: FwknopStanza,
  { message, username }: FwknopMessage,
  arrived: string,
  denial?: { readonly why: string; readonly detail: string },
): Finding {
  const because = (code: string, sentence: string, mend: string): Finding => ({
    code: `fwknop-${code}`,
    sentence: `${arrived}, and ${sentence}`,
    mend,
  })
  const ports = accessOf(message)?.ports.map(portName).join(',') ?? ''
  if (denial === undefined)
    return because('expired', 'the stanza has expired', confMend(stanza, 'give ACCESS_EXPIRE a later day'))
  switch (denial.why) {
    case 'address-required':
      return because(
        'address-required',
        'the stanza wants an address inside it (REQUIRE_SOURCE_ADDRESS), which it does not name',
        'postern knock --protocol fwknop --address auto HOST PORT   # on that machine; fwknop’s own client: fwknop -R, or -a ADDRESS',
      )
    case 'username':
      return because(
        'username',
        `it says user name "${username}", where the stanza’s REQUIRE_USERNAME is "${stanza.username}"`,
        `postern knock --protocol fwknop --spoof-user ${stanza.username} HOST PORT   # on that machine`,
      )
    case 'ports':
    case 'restricted':
      return because(denial.why, denial.detail, confMend(stanza, `let its OPEN_PORTS have ${ports}`))
    case 'unguarded':
      return because(
        'unguarded',
        denial.detail,
        'posternd check   # lists what is guarded; [RESOURCES] or OPEN_PORTS has to name it',
      )
    default:
      return because(denial.why, denial.detail, 'posternd check   # says what the stanza grants')
  }
}

/** One of two keys is right, or a digest is another. */
function near(stanzas: readonly FwknopStanza[], packet: FwknopPacket, { source }: Datagram): Caught | undefined {
  for (const { keys, title } of stanzas) {
    const { hmac } = keys
    if (hmac === undefined) continue
    const begun = `from ${source} came a packet of fwknop’s stanza ${title}`
    const other = DIGESTS.find((digest) => hmacMatches(packet, { key: hmac.key, digest }))
    if (other !== undefined)
      return because('near', {
        code: 'fwknop-digest',
        sentence: `${begun} whose HMAC is made by ${other}, where the stanza’s HMAC_DIGEST_TYPE is ${hmac.digest}`,
        mend: rcMend('HMAC_DIGEST_TYPE', title),
      })
    if (messageIn(packet, { ...keys, hmac: undefined }) !== undefined)
      return because('near', {
        code: 'fwknop-hmac',
        sentence: `${begun} without an HMAC, which the stanza wants`,
        mend: rcMend('HMAC_KEY', title),
      })
    const isReadable = DIGESTS.some((digest) => messageIn(packet, { ...keys, hmac: { digest } }) !== undefined)
    if (isReadable)
      return because('near', {
        code: 'fwknop-hmac',
        sentence: `${begun} with its KEY and with another HMAC_KEY`,
        mend: rcMend('HMAC_KEY', title),
      })
  }
  return undefined
}

function anotherKey(stanzas: readonly FwknopStanza[], { source }: Datagram): Finding {
  const [{ title } = { title: 'access.conf' }] = stanzas
  const whose =
    stanzas.length === 1 ? `which stanza ${title} has not` : `which none of the ${stanzas.length} stanzas has`
  return {
    code: 'another-key',
    sentence: `from ${source} came a packet of fwknop’s form with keys ${whose}`,
    mend: rcMend('KEY', stanzas.length === 1 ? title : 'his stanza in access.conf'),
  }
}

function messageIn(
  packet: FwknopPacket,
  keys: {
    readonly key: Uint8Array
    readonly mode: FwknopMode
    readonly hmac?: { readonly digest: FwknopDigest } | undefined
  },
): FwknopMessage | undefined {
  const { key, mode, hmac } = keys
  const { message } = decryptPacket(packet, { key, mode, ...(hmac !== undefined && { hmac }) })
  return 'why' in message ? undefined : message
}

/** What is wrong is the client's. */
function rcMend(what: string, title: string): string {
  return `grep -n ${what} ~/.fwknoprc   # on that machine: to be as in ${title} here`
}

/** What is wrong is the stanza's. */
function confMend({ title }: FwknopStanza, what: string): string {
  return `posternd check && systemctl reload postern   # after an edit of ${title}: ${what}`
}
