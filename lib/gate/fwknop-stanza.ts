/** One stanza of fwknop's access.conf, as the gate judges by it. Specification: docs/PROTOCOL.md, "fwknop: access.conf". Pure. */
import type { IpAddress } from '../wire/address.js'
import type { FwknopKeys, FwknopPort } from '../wire/fwknop-types.js'
import type { ResourceId, UserId } from '../wire/ids.js'

/**
 * Whose every packet is in the replay window: stanzas may share keys, and what one of them was opened with is not to be accepted by
 * another.
 */
export const FWKNOP_REPLAY_USER: UserId = 0xf1ffffff

/** All addresses whose first `length` bits are those of `address`. */
export interface Prefix {
  readonly address: IpAddress
  readonly length: number
}

export interface FwknopStanza {
  /** Who knocked, in leases, limits and the log: a number that [KEYS] does not have, the same for the same file. */
  readonly user: UserId
  /** `access.conf:12`, for the log. */
  readonly title: string
  readonly keys: FwknopKeys
  /** SOURCE and DESTINATION; undefined: any. IPv6 sources match only `ANY`. */
  readonly sources?: readonly Prefix[]
  readonly destinations?: readonly Prefix[]
  /** OPEN_PORTS; undefined: all that is guarded and not restricted. */
  readonly openPorts?: readonly FwknopPort[]
  readonly restrictPorts: readonly FwknopPort[]
  /** FW_ACCESS_TIMEOUT, and MAX_FW_TIMEOUT, the most that a client's own timeout gets. Seconds. */
  readonly leaseSeconds: number
  readonly maxSeconds: number
  readonly username?: string
  /** REQUIRE_SOURCE_ADDRESS: a message that says 0.0.0.0 (the datagram's source) is refused. */
  readonly requireAddress: boolean
  /** ACCESS_EXPIRE, Unix ms. */
  readonly expiresMs?: number
}

/** What the fwknop gate judges by. */
export interface FwknopSettings {
  /** In the file's order. */
  readonly stanzas: readonly FwknopStanza[]
  /** How far a packet's time may be from now, on either side. */
  readonly maxAgeMs: number
  /** Which resource a `proto/port` opens, where one is guarded: `tcp/22` → its id. A stanza may open only what is here. */
  readonly resources: ReadonlyMap<string, FwknopTarget>
}

/** The resource behind a port, with all ports that it opens: a stanza that may not open each of them may not open it. */
export interface FwknopTarget {
  readonly resource: ResourceId
  readonly opens: readonly FwknopPort[]
  /** The resource has a list of users: only a stanza whose OPEN_PORTS names its ports may open it. */
  readonly onlyNamed: boolean
}
