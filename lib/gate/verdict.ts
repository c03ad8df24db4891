/**
 * What a gate says of a datagram: silence with a reason, reply with these bytes, or a request. A gate is a pure function
 * of (datagram, time, its own keys); it knows nothing of sockets, files, nft or other gates.
 */
import type { IpAddress } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'

export type Operation = 'open' | 'revoke' | 'extend'

/** A UDP datagram as it was heard: payload and where it came from and went to. */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly source: IpAddress
  readonly sourcePort: number
  readonly destination: IpAddress
  readonly destinationPort: number
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

export type Verdict =
  /** `user` is told where the datagram was authentic, so that the log can name whose knock it was. */
  | { readonly kind: 'silence'; readonly why: Silence; readonly user?: UserId; readonly detail?: string }
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'request'; readonly request: Request }
