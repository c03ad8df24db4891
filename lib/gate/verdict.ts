/**
 * What a gate says of a datagram: silence with a reason, reply with these bytes, or a request. A gate is a pure function
 * of (datagram, time, its own keys); it knows nothing of sockets, files, nft or other gates.
 */
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export type Operation = 'open' | 'revoke' | 'extend'

/** Where something came from and went to; an answer goes the same way back. */
export interface Path {
  readonly source: IpAddress
  readonly sourcePort: number
  readonly destination: IpAddress
  readonly destinationPort: number
  /** None: UDP. */
  readonly transport?: 'udp' | 'tcp'
  /** The index of the interface that it came in by: a link-local address alone does not say the way back. */
  readonly inputInterface?: number
}

/** A UDP datagram as it was heard (or one message of a TCP stream): payload and where it came from and went to. */
export interface Datagram extends Path {
  readonly bytes: Uint8Array
}

/** What makes this request itself and no other, for the replay window. */
export interface ReplayId {
  readonly user: UserId
  /** Unique bytes of the protocol's own: an SPA nonce (24), a digest (32), a challenge. At most 32 bytes. */
  readonly id: Uint8Array
  /** The time the datagram itself says, Unix ms. Which place of the window it belongs to depends on this alone. */
  readonly timeMs: number
  /** When it could no longer be accepted anyway, Unix ms. */
  readonly expiresMs: number
  /** It answers what only this run can have asked: no other run accepts it, so its time is held against none's. */
  readonly isOfThisRun?: true
}

/** An authenticated wish, not yet held against replay window and policy. */
export interface Request {
  readonly protocol: 'spa' | 'letmein' | 'fwknop'
  readonly operation: Operation
  readonly user: UserId
  readonly resource: ResourceId
  /** The address to open for: the signed one where there is one, else the datagram's source. */
  readonly address: IpAddress
  /** True where the address was said inside the sealed part. */
  readonly addressSigned: boolean
  /** Wanted length of the lease in seconds; 0: the server's own. */
  readonly lifetimeSeconds: number
  readonly replay: ReplayId
  /** What its sender waits for; SPA has no answers. */
  readonly answer?: Answer
}

/** The bytes that end an exchange, and where they go. Not one of them goes out where the replay window knows the request. */
export interface Answer {
  readonly path: Path
  /** It is done. */
  readonly comein: Uint8Array
  /** It is not, and will not be. */
  readonly goaway: Uint8Array
}

/** Why a gate stays silent. Stable words: they are counted and shown by `posternd status`. */
export type Silence =
  | 'length'
  | 'tag'
  | 'seal'
  | 'version'
  | 'operation'
  | 'flags'
  | 'reserved'
  | 'pad'
  | 'address'
  | 'user'
  | 'slot'
  | 'window'
  | 'instant'
  /** Its key was changed, and the time in which the old one counts is over. */
  | 'old-key'

/** Why the letmein gate stays silent or says GOAWAY. Stable words, as `Silence`. */
export type LetmeinWhy =
  | 'length'
  | 'magic'
  | 'operation'
  /** No user of ours. */
  | 'unknown-user'
  | 'auth'
  /** A KNOCK or REVOKE that was heard before. */
  | 'salt'
  /** Its salt could not be written down. */
  | 'salts'
  /** A further KNOCK or REVOKE from a port that has its CHALLENGE. */
  | 'port'
  | 'resource'
  | 'not-allowed'
  | 'control-port'
  /** A RESPONSE to nothing that was asked, or a wrong one. */
  | 'response'
  /** What only a server says. */
  | 'order'

/** Why a packet of fwknop's is none, by the bytes. Stable words, as `Silence`. */
export type FwknopFault =
  | 'length'
  | 'alphabet'
  /** It does not begin with what a salt leaves over, or still has its prefix. */
  | 'prefix'
  /** Keys of a length that no packet can be made with. */
  | 'key'
  | 'hmac'
  /** No whole blocks. */
  | 'cipher'
  /** What another key's packet looks like when it is decrypted. */
  | 'text'
  | 'digest'
  /** Too many or too few for its type. */
  | 'fields'
  | 'user-field'
  | 'time-field'
  | 'version-field'
  | 'type-field'
  | 'message-field'
  | 'nat-field'
  | 'auth-field'
  | 'timeout-field'

/** Why the fwknop gate stays silent: a fault, or what access.conf says. */
export type FwknopWhy =
  | FwknopFault
  /** No stanza is for this way. */
  | 'source'
  | 'expired'
  | 'age'
  | 'command'
  | 'nat'
  | 'address'
  /** It leaves the address to its source, and may not. */
  | 'address-required'
  | 'username'
  | 'ports'
  | 'restricted'
  /** Nothing is guarded there. */
  | 'unguarded'

export type Verdict<Why extends string = Silence> =
  /** `user` is told where the datagram was authentic, so that the log can name whose knock it was. */
  | { readonly kind: 'silence'; readonly why: Why; readonly user?: UserId; readonly detail?: string }
  /** The bytes go back the way the datagram came. */
  | {
      readonly kind: 'reply'
      readonly bytes: Uint8Array
      /** Nothing follows on this path: a refusal. False: the sender is expected to go on. */
      readonly isLast: boolean
      /** Told where it is a refusal. */
      readonly why?: Why
      readonly user?: UserId
      readonly detail?: string
    }
  | { readonly kind: 'request'; readonly request: Request }

/** One datagram may ask for several resources: all requests have one user and one replay id, and stand or fall together. */
export type FwknopVerdict =
  | Extract<Verdict<FwknopWhy>, { kind: 'silence' }>
  | { readonly kind: 'requests'; readonly requests: readonly Request[] }
