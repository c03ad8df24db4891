/**
 * What the monitor tells the listener: no more than it needs to judge. Tag and seal keys are bound to the realm; master and
 * instant keys are never among them. JSON behind a u32 length, after an echo of the listener's hello (docs/PROTOCOL.md,
 * "The channel"). Pure.
 */
import type { AddressPolicy, Person } from '../config/types.js'
import type { FwknopSettings, FwknopTarget } from '../gate/fwknop-stanza.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export interface ListenerSettings {
  readonly windowMs: number
  readonly heardGroup: number
  readonly recordGroup: number
  /** Its own log is JSON lines. */
  readonly isLogJson?: boolean
  /** Once for each key; `untilMs`: it is dead from then on. */
  readonly users: readonly {
    readonly id: UserId
    readonly tag: Uint8Array
    readonly seal: Uint8Array
    readonly untilMs?: number
  }[]
  readonly resources: readonly ListenerResource[]
  /** When and for which addresses they may knock, of those of whom [USERS] says something. */
  readonly people: readonly (readonly [UserId, Person])[]
  /** None: letmein is off, and no master key is told. */
  readonly letmein?: ListenerLetmein
  /** None: fwknop is off, and no key of access.conf is told. */
  readonly fwknop?: ListenerFwknop
}

/** FwknopSettings, as JSON can say it. */
export interface ListenerFwknop extends Omit<FwknopSettings, 'resources'> {
  readonly resources: readonly (readonly [string, FwknopTarget])[]
}

export interface ListenerLetmein {
  /** Once for each key, that of today first; `untilMs`: it is dead from then on. */
  readonly users: readonly { readonly id: UserId; readonly key: Uint8Array; readonly untilMs?: number }[]
  readonly controlTimeoutMs: number
  readonly errorPolicy: 'always' | 'basic-auth' | 'full-auth'
  readonly tcpPorts: readonly number[]
}

export interface ListenerResource {
  readonly id: ResourceId
  readonly users?: readonly UserId[]
  readonly requireAddress: AddressPolicy
  readonly maxLifetimeSeconds: number
  /** It opens a port that letmein itself is heard at. */
  readonly isControlPort: boolean
}

/** What a listener must know about the past, said once, in answer to its hello. */
export interface ListenerStart {
  /** Where the journal cannot be trusted, nothing at or below this time is accepted, Unix ms. */
  readonly untrustedBelowMs: number
  /** Since when every datagram was heard, on both clocks. */
  readonly hearing: { readonly wallMs: number; readonly monoMs: number }
  readonly replayEntries: number
}

export type Message =
  | {
      readonly kind: 'start'
      readonly start: ListenerStart
      readonly settings: ListenerSettings
      readonly horizonMs: number
    }
  | { readonly kind: 'settings'; readonly settings: ListenerSettings }
  | { readonly kind: 'horizon'; readonly horizonMs: number }
  /** The operator said that the clock is right now. */
  | { readonly kind: 'trust'; readonly untrustedBelowMs: number; readonly horizonMs: number }
  /** Rules of ours were away until this moment: there was a gap in hearing. */
  | { readonly kind: 'hearing'; readonly hearing: { readonly wallMs: number; readonly monoMs: number } }
  /** What became of the request with this sequence number. */
  | { readonly kind: 'result'; readonly sequence: number; readonly isDone: boolean }
  /** The run is over: accept nothing more, and say how far it went. */
  | { readonly kind: 'end' }
  | { readonly kind: 'ping'; readonly sequence: number }

const LENGTH_BYTES = 4

/** A message's bytes: u32 length, then JSON in which byte arrays are {"$": base64}. */
export function encodeMessage(message: Message): Uint8Array {
  const json = JSON.stringify(message, (_key, value) =>
    value instanceof Uint8Array ? { $: Buffer.from(value).toString('base64') } : value,
  )
  const body = Buffer.from(json)
  const bytes = Buffer.alloc(LENGTH_BYTES + body.length)
  bytes.writeUInt32BE(body.length)
  body.copy(bytes, LENGTH_BYTES)
  return bytes
}

/** Cuts the monitor's stream into messages, from the echo of this listener's hello on. What came before was another's. */
export class MessageReader {
  readonly #nonce: Uint8Array
  #chunks: Buffer = Buffer.alloc(0)
  #begun = false

  /** `nonce`: the 16 bytes of this listener's hello. */
  constructor(nonce: Uint8Array) {
    this.#nonce = nonce
  }

  /** All whole messages so far. Throws SyntaxError where the monitor's bytes are no JSON. */
  push(chunk: Uint8Array): Message[] {
    this.#chunks = this.#chunks.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#chunks, chunk])
    if (!this.#begun) {
      const at = this.#chunks.indexOf(this.#nonce)
      if (at < 0) {
        this.#chunks = this.#chunks.subarray(Math.max(0, this.#chunks.length - this.#nonce.length + 1))
        return []
      }
      this.#begun = true
      this.#chunks = this.#chunks.subarray(at + this.#nonce.length)
    }
    const messages: Message[] = []
    while (this.#chunks.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#chunks.readUInt32BE()
      if (this.#chunks.length < end) break
      messages.push(decodeMessage(this.#chunks.subarray(LENGTH_BYTES, end)))
      this.#chunks = this.#chunks.subarray(end)
    }
    return messages
  }
}

function decodeMessage(body: Buffer): Message {
  return JSON.parse(body.toString(), (_key, value) =>
    value !== null && typeof value === 'object' && typeof value.$ === 'string'
      ? Uint8Array.from(Buffer.from(value.$, 'base64'))
      : value,
  )
}
