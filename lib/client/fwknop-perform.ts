/** One knock by fwknop's packet, from beginning to end: a packet of its own for each address and each try. */
import { ANY_ADDRESS } from '../wire/fwknop-access.js'
import { type Delivery, deliver, type Outcome, type Outside } from './deliver.js'
import { type FwknopIdentity, type FwknopWish, fwknopPacket, randomFwknopPort } from './fwknop.js'
import type { Destination } from './resolve.js'
import type { Outgoing } from './send.js'

/** For which address the port is to open: for what the datagram comes from, for what this machine has, or for another. */
export type FwknopAllow = { readonly kind: 'source' | 'own' } | { readonly kind: 'address'; readonly address: string }

export interface FwknopErrand extends Delivery {
  readonly identity: FwknopIdentity
  readonly wish: Omit<FwknopWish, 'address'>
  readonly allow: FwknopAllow
  /** Where the server hears knocks; `any`: a random high port for each datagram. */
  readonly controlPort: number | 'any'
  /** The port that the datagrams leave from; the system's choice where none is said. */
  readonly sourcePort?: number
  /** What this machine's clock is behind the server's. */
  readonly timeOffsetMs: number
}

/** Knocks. Throws as `deliver` and `fwknopPacket` do. */
export function performFwknop(errand: FwknopErrand, outside: Outside): Promise<Outcome> {
  const outgoingTo = async (to: Destination): Promise<Outgoing> => {
    const { identity, wish, controlPort, sourcePort, timeOffsetMs } = errand
    const address = await addressFor(errand.allow, to, outside)
    const bytes = fwknopPacket({ ...wish, address }, identity, outside.nowMs() + timeOffsetMs, outside.random)
    const port = controlPort === 'any' ? randomFwknopPort(outside.random) : controlPort
    return { bytes, to, port, ...(sourcePort !== undefined && { from: sourcePort }) }
  }
  return deliver(errand, (found) => Promise.all(found.map(outgoingTo)), outside)
}

/** A packet has room for IPv4 alone: over IPv6 this machine's own address is what the datagram comes from. */
async function addressFor(allow: FwknopAllow, to: Destination, { ownAddress }: Outside): Promise<string> {
  if (allow.kind === 'address') return allow.address
  if (allow.kind === 'source' || to.family === 6) return ANY_ADDRESS
  return (await ownAddress(to)) ?? ANY_ADDRESS
}
