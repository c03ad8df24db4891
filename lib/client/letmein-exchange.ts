/**
 * The client's half of a letmein exchange: what to send, and what an answer means. Specification: docs/PROTOCOL.md, "The
 * letmein exchange". Pure: randomness is handed in; when to stop waiting is the caller's business (control-timeout after
 * each message that was sent).
 *
 * Answers are not authenticated: whoever can send in the server's name can end an exchange with GOAWAY, or fake a COMEIN.
 */
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import { decode, encodeSigned, MESSAGE_BYTES, type Message, SALT_BYTES, ZERO_AUTH } from '../wire/letmein.js'

export interface ExchangeSettings {
  readonly operation: 'KNOCK' | 'REVOKE'
  readonly user: UserId
  readonly resource: ResourceId
  /** 32 bytes. */
  readonly key: Uint8Array
  random(length: number): Uint8Array
}

/** Why an exchange came to nothing. Stable words. */
export type ExchangeFailure =
  /** The server says no. */
  | 'goaway'
  /** What came is no message of letmein's: something else listens there. */
  | 'magic'
  | 'operation'
  /** A message, but not the one whose turn it is. */
  | 'order'

/** What an answer means. `warnings`: full sentences for the user. */
export type ExchangeStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array; readonly warnings: readonly string[] }
  | { readonly kind: 'done'; readonly warnings: readonly string[] }
  | { readonly kind: 'failed'; readonly why: ExchangeFailure; readonly detail: string }
  | { readonly kind: 'ignored' }

type Turn = 'CHALLENGE' | 'COMEIN' | 'over'

export class LetmeinExchange {
  readonly #settings: ExchangeSettings
  /** What is waited for. */
  #turn: Turn = 'CHALLENGE'

  constructor(settings: ExchangeSettings) {
    this.#settings = settings
  }

  /** The 56 bytes to begin with, fresh at each call; only one of them is answered. Throws RangeError where a field does not fit. */
  first(): Uint8Array {
    return this.#signed(this.#settings.operation, ZERO_AUTH)
  }

  /**
   * What a datagram (or 56 bytes of the stream) means. Of a longer one the first 56 bytes count, a shorter one is ignored,
   * as letmein does it. Never throws.
   */
  feed(bytes: Uint8Array): ExchangeStep {
    if (this.#turn === 'over' || bytes.length < MESSAGE_BYTES) return { kind: 'ignored' }
    const message = decode(bytes.subarray(0, MESSAGE_BYTES))
    if ('why' in message)
      return this.#failed(message.why === 'operation' ? 'operation' : 'magic', message.detail ?? 'wrong magic')
    if (message.operation === 'GOAWAY') return this.#failed('goaway', 'the server says GOAWAY')
    if (message.operation !== this.#turn)
      return this.#failed('order', `${message.operation} came where ${this.#turn} was expected`)
    const warnings = this.#warningsOf(message)
    if (this.#turn === 'COMEIN') {
      this.#turn = 'over'
      return { kind: 'done', warnings }
    }
    this.#turn = 'COMEIN'
    return { kind: 'send', bytes: this.#signed('RESPONSE', message.auth), warnings }
  }

  #signed(operation: 'KNOCK' | 'REVOKE' | 'RESPONSE', challenge: Uint8Array): Uint8Array {
    const { user, resource, key } = this.#settings
    return encodeSigned({ operation, user, resource, salt: this.#settings.random(SALT_BYTES) }, key, challenge)
  }

  #failed(why: ExchangeFailure, detail: string): ExchangeStep {
    this.#turn = 'over'
    return { kind: 'failed', why, detail }
  }

  /** Other ids than ours count all the same, as with letmein. */
  #warningsOf({ operation, user, resource }: Message): string[] {
    return [
      ['user', user, this.#settings.user] as const,
      ['resource', resource, this.#settings.resource] as const,
    ].flatMap(([name, theirs, ours]) =>
      theirs === ours
        ? []
        : [`the server's ${operation} names ${name} ${formatId(theirs)}: expected ${formatId(ours)}`],
    )
  }
}
