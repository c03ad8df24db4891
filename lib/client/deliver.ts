/**
 * Datagrams to every address of a host, whatever is in them, and, where it is waited for, the open port. Each family is on its
 * way as soon as its own look-up has answered.
 */
import { randomFillSync } from 'node:crypto'
import type { Family } from '../wire/address.js'
import { KnockError } from './error.js'
import type { Random } from './knock.js'
import { type OwnAddress, ownAddress } from './own-address.js'
import { type Probe, probe } from './probe.js'
import { type Destination, type Lookup, resolve, systemLookup, unresolved } from './resolve.js'
import { type Outgoing, type Sender, type Sending, send } from './send.js'
import { type Opened, Watch } from './watch.js'

/** A knock is repeated after this long, where it is to be sent more than once and the port is not open yet. */
const TRY_PAUSE_MS = 1000

/** Where a knock goes, and how often. */
export interface Delivery {
  readonly host: string
  readonly families: readonly Family[]
  /** How often all of it is sent, at most. */
  readonly tries: number
  /** The pause between two of them; a second where none is said. */
  readonly tryPauseMs?: number
  /** Wait until these TCP ports are open. */
  readonly wait?: { readonly ports: readonly number[]; readonly timeoutMs: number }
}

/** What the outside does for a knock. */
export interface Outside {
  readonly nowMs: () => number
  readonly random: Random
  readonly lookup: Lookup
  readonly send: Sender
  readonly probe: Probe
  readonly ownAddress: OwnAddress
  readonly pause: (ms: number) => Promise<void>
}

/** The real clock, randomness, resolver and sockets. */
export const system: Outside = {
  nowMs: () => Date.now(),
  random: (bytes) => randomFillSync(new Uint8Array(bytes)),
  lookup: systemLookup,
  send,
  probe,
  ownAddress,
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

export interface Outcome {
  /** All addresses that were knocked at. */
  readonly destinations: readonly Destination[]
  /** Every datagram's fate. */
  readonly sendings: readonly Sending[]
  /** Ports found open; empty where nothing was waited for. */
  readonly opened: ReadonlyMap<number, Opened>
}

/** The datagrams of one try at these addresses, made anew for each. */
export type Make = (found: readonly Destination[]) => readonly Outgoing[] | Promise<readonly Outgoing[]>

/**
 * Sends them. Throws KnockError where no address was found (`resolve`) or no datagram could be sent (`send`), and what `make`
 * throws; a port that stays shut is no error, but an outcome.
 */
export async function deliver(delivery: Delivery, make: Make, outside: Outside): Promise<Outcome> {
  const { host, families, tries, wait } = delivery
  const resolution = resolve(host, families, outside.lookup)
  const watch = wait && new Watch(wait.ports, wait.timeoutMs, outside.probe)
  const destinations: Destination[] = []
  const sendings: Sending[] = []
  const failures: unknown[] = []
  const knockOnce = async (found: readonly Destination[]) => {
    sendings.push(...(await outside.send(await make(found))))
  }
  const visits = resolution.map(async (family) => {
    const found = await family.catch((reason) => {
      failures.push(reason)
      return []
    })
    if (found.length === 0) return
    destinations.push(...found)
    await knockOnce(found)
    watch?.follow(found)
    for (let tried = 1; tried < tries; tried++) {
      await Promise.race([outside.pause(delivery.tryPauseMs ?? TRY_PAUSE_MS), ...(watch ? [watch.over] : [])])
      if (watch?.isOver) break
      await knockOnce(found)
    }
  })
  try {
    // A port that is open makes a look-up of the other family that still hangs nobody's business any more.
    await Promise.race([Promise.all(visits), ...(watch ? [watch.over] : [])])
    if (destinations.length === 0) throw unresolved(host, families, failures)
    if (sendings.every(({ error }) => error !== undefined)) throw unsent(host, sendings)
    await watch?.over
    return { destinations, sendings, opened: watch?.opened ?? new Map() }
  } finally {
    watch?.stop()
  }
}

/** The sentence for a knock that did not leave this machine. */
function unsent(host: string, sendings: readonly Sending[]): KnockError {
  const causes = [...new Set(sendings.map(({ error, outgoing }) => `${outgoing.to.address}: ${error?.code}`))]
  return new KnockError(
    'send',
    `${host}: no datagram could be sent (${causes.join(', ')}): check this machine's network`,
  )
}
