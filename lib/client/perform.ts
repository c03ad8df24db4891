/** One knock from beginning to end: addresses, datagrams, out, and, where it is waited for, the open port. */
import { randomFillSync } from 'node:crypto'
import type { Family } from '../wire/address.js'
import { portFor } from './control-port.js'
import { KnockError } from './error.js'
import { type Identity, Knocker, type Random, type Wish } from './knock.js'
import { type Probe, probe } from './probe.js'
import { type Destination, type Lookup, resolve, systemLookup, unresolved } from './resolve.js'
import { type Outgoing, type Sender, type Sending, send } from './send.js'
import { type Opened, Watch } from './watch.js'

/** A knock is repeated after this long, where it is to be sent more than once and the port is not open yet. */
const TRY_PAUSE_MS = 1000

export interface Errand {
  readonly host: string
  readonly families: readonly Family[]
  readonly identity: Identity
  readonly wishes: readonly Wish[]
  /** Where the server hears knocks; `any`: a random high port for each datagram. */
  readonly controlPort: number | 'any'
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
  readonly pause: (ms: number) => Promise<void>
}

/** The real clock, randomness, resolver and sockets. */
export const system: Outside = {
  nowMs: () => Date.now(),
  random: (bytes) => randomFillSync(new Uint8Array(bytes)),
  lookup: systemLookup,
  send,
  probe,
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

/**
 * Knocks. Each family is on its way as soon as its own look-up has answered. Throws KnockError where no address was found
 * (`resolve`) or no datagram could be sent (`send`), RangeError where a number does not fit; a port that stays shut is no error, but an outcome.
 */
export async function perform(errand: Errand, outside: Outside = system): Promise<Outcome> {
  const knocker = new Knocker(errand.identity, outside.random)
  const resolution = resolve(errand.host, errand.families, outside.lookup)
  const watch = errand.wait && new Watch(errand.wait.ports, errand.wait.timeoutMs, outside.probe)
  const destinations: Destination[] = []
  const sendings: Sending[] = []
  const failures: unknown[] = []
  const knockOnce = async (found: readonly Destination[]) => {
    sendings.push(...(await outside.send(outgoingTo(found, errand, knocker, outside))))
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
    for (let tried = 1; tried < errand.tries; tried++) {
      await Promise.race([outside.pause(errand.tryPauseMs ?? TRY_PAUSE_MS), ...(watch ? [watch.over] : [])])
      if (watch?.isOver) break
      await knockOnce(found)
    }
  })
  try {
    // A port that is open makes a look-up of the other family that still hangs nobody's business any more.
    await Promise.race([Promise.all(visits), ...(watch ? [watch.over] : [])])
    if (destinations.length === 0) throw unresolved(errand.host, errand.families, failures)
    if (sendings.every(({ error }) => error !== undefined)) throw unsent(errand.host, sendings)
    await watch?.over
    return { destinations, sendings, opened: watch?.opened ?? new Map() }
  } finally {
    watch?.stop()
  }
}

function outgoingTo(found: readonly Destination[], errand: Errand, knocker: Knocker, outside: Outside): Outgoing[] {
  const timeMs = outside.nowMs()
  return found.flatMap((to) =>
    errand.wishes
      .flatMap((wish) => knocker.datagrams(wish, timeMs))
      .map((bytes) => ({ bytes, to, port: portFor(errand.controlPort, outside.random) })),
  )
}

/** The sentence for a knock that did not leave this machine. */
function unsent(host: string, sendings: readonly Sending[]): KnockError {
  const causes = [...new Set(sendings.map(({ error, outgoing }) => `${outgoing.to.address}: ${error?.code}`))]
  return new KnockError(
    'send',
    `${host}: no datagram could be sent (${causes.join(', ')}): check this machine's network`,
  )
}
