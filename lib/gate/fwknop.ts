/**
 * The fwknop gate: is this a packet that a stanza of access.conf lets in? Specification: docs/PROTOCOL.md, "What the server does
 * with a packet". Pure and without memory: whether it was heard before is the replay window's to say.
 *
 * A stranger's packet costs one HMAC over 485 bytes at most for each distinct HMAC key of the stanzas whose SOURCE it comes from
 * (4 µs with SHA-256, 12 with SHA-512), and is decrypted by none of them. Where stanzas without HMAC are accepted, each distinct key of
 * theirs adds three MD5s, one decryption and, where 16 digits came out, up to two hashes.
 */
import { addressToKey, type IpAddress } from '../wire/address.js'
import { MAX_CHARS, readPacket } from '../wire/fwknop.js'
import type { FwknopMessage } from '../wire/fwknop-text.js'
import { FwknopKeyring, type Opened, type RingKeys } from './fwknop-keyring.js'
import { type Denial, type Grant, judgeMessage } from './fwknop-policy.js'
import { FWKNOP_REPLAY_USER, type FwknopSettings, type FwknopStanza } from './fwknop-stanza.js'
import { membership } from './prefix.js'
import type { Datagram, FwknopFault, FwknopVerdict } from './verdict.js'

/** fwknopd's least. The shortest packet that a client makes has as many. */
export const MIN_CHARS = 140
/** How many stanzas' reasons one log line tells. */
const MOST_DETAILS = 4
/** Faults that a packet has under another's keys, too: they tell nothing of who made it. */
const STRANGE: readonly FwknopFault[] = ['length', 'key', 'cipher', 'text', 'digest']

interface Entry {
  readonly stanza: FwknopStanza
  readonly keys: RingKeys
  readonly isFor: (source: Uint8Array, destination: Uint8Array) => boolean
}

interface Refused {
  readonly stanza: FwknopStanza
  readonly denial: Pick<Denial, 'why'> & { readonly detail?: string }
}

export class FwknopGate {
  readonly #settings: FwknopSettings
  readonly #ring = new FwknopKeyring()
  readonly #withHmac: readonly Entry[]
  readonly #withoutHmac: readonly Entry[]

  /** Throws RangeError where SOURCE or DESTINATION of a stanza is no address. */
  constructor(settings: FwknopSettings) {
    this.#settings = settings
    const entries = settings.stanzas.map((stanza) => ({
      stanza,
      keys: this.#ring.add(stanza.keys),
      isFor: wayOf(stanza),
    }))
    this.#withHmac = entries.filter(({ keys }) => keys.mac !== undefined)
    this.#withoutHmac = entries.filter(({ keys }) => keys.mac === undefined)
  }

  /** The most HMACs that one packet costs. */
  get macs(): number {
    return this.#ring.macs
  }

  /**
   * What this datagram asks for, or why it is met with silence. Stanzas are asked in the file's order, those without an HMAC after
   * all others; the first that grants all that is asked for wins. Never throws, whatever the bytes are.
   */
  judge(datagram: Datagram, nowMs: number): FwknopVerdict {
    const { bytes } = datagram
    if (bytes.length < MIN_CHARS || bytes.length > MAX_CHARS) return { kind: 'silence', why: 'length' }
    const packet = readPacket(bytes)
    if ('why' in packet) return { kind: 'silence', ...packet }
    const [source, destination] = [addressToKey(datagram.source), addressToKey(datagram.destination)]
    const near = ({ isFor }: Entry) => isFor(source, destination)
    const [withHmac, withoutHmac] = [this.#withHmac.filter(near), this.#withoutHmac.filter(near)]
    if (withHmac.length + withoutHmac.length === 0) return { kind: 'silence', why: 'source' }
    const keys = this.#ring.for(packet)
    const authentic = withHmac.filter((entry) => keys.isAuthentic(entry.keys))
    const refused: Refused[] = []
    let strange: FwknopFault = 'hmac'
    for (const { stanza, keys: own } of authentic.length > 0 ? authentic : withoutHmac) {
      const opened = keys.open(own)
      if ('why' in opened && own.mac === undefined && STRANGE.includes(opened.why)) {
        if (withHmac.length === 0) strange = opened.why
        continue
      }
      const judged = this.#judgeOpened(opened, stanza, datagram.source, nowMs)
      if (!('why' in judged)) return judged
      refused.push({ stanza, denial: judged })
    }
    return refused.length > 0 ? silenceOf(refused) : { kind: 'silence', why: strange }
  }

  #judgeOpened(opened: Opened, stanza: FwknopStanza, source: IpAddress, nowMs: number) {
    if ('why' in opened) return opened
    const grant = judgeMessage(opened.message, stanza, this.#settings, source, nowMs)
    return 'why' in grant ? grant : requestsOf(opened.message, opened.id, grant, stanza, this.#settings.maxAgeMs)
  }
}

function requestsOf(
  { timeSeconds }: FwknopMessage,
  id: Uint8Array,
  { resources, ...common }: Grant,
  { user }: FwknopStanza,
  maxAgeMs: number,
): Extract<FwknopVerdict, { kind: 'requests' }> {
  const timeMs = timeSeconds * 1000
  const replay = { user: FWKNOP_REPLAY_USER, id, timeMs, expiresMs: timeMs + maxAgeMs }
  const requests = resources.map(
    (resource) => ({ protocol: 'fwknop', operation: 'open', user, resource, ...common, replay }) as const,
  )
  return { kind: 'requests', requests }
}

/** The first stanza's reason, and what each of them says. */
function silenceOf(refused: readonly Refused[]): FwknopVerdict {
  const told = refused
    .slice(0, MOST_DETAILS)
    .map(({ stanza, denial }) => `${stanza.title}: ${denial.detail ?? denial.why}`)
  if (refused.length > MOST_DETAILS) told.push(`${refused.length - MOST_DETAILS} stanzas more`)
  const { stanza, denial } = refused[0]!
  return { kind: 'silence', why: denial.why, user: stanza.user, detail: told.join('; ') }
}

function wayOf({ sources, destinations }: FwknopStanza): Entry['isFor'] {
  const isSource = sources === undefined ? () => true : membership(sources)
  const isDestination = destinations === undefined ? () => true : membership(destinations)
  return (source, destination) => isSource(source) && isDestination(destination)
}
