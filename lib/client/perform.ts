/** One knock by postern's own datagram, from beginning to end. */
import type { IpAddress } from '../wire/address.js'
import { portFor } from './control-port.js'
import { type Delivery, deliver, type Outcome, type Outside, system } from './deliver.js'
import { type Identity, Knocker, type Wish } from './knock.js'
import { isNameable } from './own-address.js'
import type { Destination } from './resolve.js'
import type { Outgoing } from './send.js'

export { type Outcome, type Outside, system } from './deliver.js'

export interface Errand extends Delivery {
  readonly identity: Identity
  readonly wishes: readonly Wish[]
  /** Where the server hears knocks; `any`: a random high port for each datagram. */
  readonly controlPort: number | 'any'
  /** Each wish names the address that its datagram leaves from, where the host can be expected to see the same. */
  readonly namesSource?: boolean
}

/** A destination that was told no address although it was to be: the source towards it is none that may be named, or there is none. */
export interface Unnamed {
  readonly to: Destination
  readonly source?: IpAddress
}

export interface Knocked extends Outcome {
  readonly unnamed: readonly Unnamed[]
}

/** Knocks. Throws as `deliver` does, and RangeError where a number does not fit. */
export async function perform(errand: Errand, outside: Outside = system): Promise<Knocked> {
  const knocker = new Knocker(errand.identity, outside.random)
  const unnamed = new Map<string, Unnamed>()
  const make = async (found: readonly Destination[]) => {
    const sources = errand.namesSource ? await Promise.all(found.map((to) => outside.ownAddress(to))) : []
    return found.flatMap((to, i) => {
      const source = sources[i]
      if (source !== undefined && isNameable(source, to)) return outgoingTo(to, errand, knocker, outside, source)
      if (errand.namesSource) unnamed.set(to.address, { to, ...(source !== undefined && { source }) })
      return outgoingTo(to, errand, knocker, outside)
    })
  }
  const outcome = await deliver(errand, make, outside)
  return { ...outcome, unnamed: [...unnamed.values()] }
}

function outgoingTo(
  to: Destination,
  { wishes, controlPort }: Errand,
  knocker: Knocker,
  outside: Outside,
  address?: IpAddress,
): Outgoing[] {
  const timeMs = outside.nowMs()
  return wishes
    .flatMap((wish) => knocker.datagrams(address === undefined ? wish : { ...wish, address }, timeMs))
    .map((bytes) => ({ bytes, to, port: portFor(controlPort, outside.random) }))
}
