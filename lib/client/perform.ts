/** One knock by postern's own datagram, from beginning to end. */
import { portFor } from './control-port.js'
import { type Delivery, deliver, type Outcome, type Outside, system } from './deliver.js'
import { type Identity, Knocker, type Wish } from './knock.js'
import type { Destination } from './resolve.js'
import type { Outgoing } from './send.js'

export { type Outcome, type Outside, system } from './deliver.js'

export interface Errand extends Delivery {
  readonly identity: Identity
  readonly wishes: readonly Wish[]
  /** Where the server hears knocks; `any`: a random high port for each datagram. */
  readonly controlPort: number | 'any'
}

/** Knocks. Throws as `deliver` does, and RangeError where a number does not fit. */
export async function perform(errand: Errand, outside: Outside = system): Promise<Outcome> {
  const knocker = new Knocker(errand.identity, outside.random)
  return deliver(errand, (found) => outgoingTo(found, errand, knocker, outside), outside)
}

function outgoingTo(found: readonly Destination[], errand: Errand, knocker: Knocker, outside: Outside): Outgoing[] {
  const timeMs = outside.nowMs()
  return found.flatMap((to) =>
    errand.wishes
      .flatMap((wish) => knocker.datagrams(wish, timeMs))
      .map((bytes) => ({ bytes, to, port: portFor(errand.controlPort, outside.random) })),
  )
}
