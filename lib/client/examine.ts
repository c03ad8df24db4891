/**
 * A knock looked at from all sides: what each address of the host says before and after, what could not be sent. It judges nothing;
 * lib/cli/doctor/ does.
 */
import type { Family } from '../wire/address.js'
import type { Outcome, Outside } from './deliver.js'
import { type Destination, resolve } from './resolve.js'
import type { Sending } from './send.js'
import type { Look } from './try-port.js'

const BEFORE_MS = 1_000
const AFTER_MS = 1_500
const MIN_TRY_MS = 100
const TRIES = 3
const TRY_PAUSE_MS = 1_000

/** How a port is looked at; `tryPort` in programs. */
export type TryPort = (to: Destination, port: number, timeoutMs: number) => Promise<Look>

export interface Seen {
  readonly to: Destination
  readonly port: number
  readonly before: Look
  readonly after: Look
}

export interface Examined {
  readonly destinations: readonly Destination[]
  readonly seen: readonly Seen[]
  /** What became of the first try's datagrams. */
  readonly sendings: readonly Sending[]
}

/** Where the ports are looked at, whatever the knock goes by. */
export interface Place {
  readonly host: string
  readonly families: readonly Family[]
  /** TCP. */
  readonly ports: readonly number[]
}

/** Looks, knocks (up to three times, a second apart), and looks until `timeoutMs` have gone. `knock` sends once; throws as it does. */
export async function examine(
  place: Place,
  knock: () => Promise<Outcome>,
  timeoutMs: number,
  outside: Outside,
  tryPort: TryPort,
): Promise<Examined> {
  const destinations = await found(place, outside)
  const targets = destinations.flatMap((to) => place.ports.map((port) => ({ to, port })))
  const before = await Promise.all(targets.map(({ to, port }) => tryPort(to, port, BEFORE_MS)))
  const { sendings } = await knock()
  const end = performance.now() + timeoutMs
  const again = (async () => {
    for (let i = 1; i < TRIES && performance.now() + TRY_PAUSE_MS < end; i++) {
      await outside.pause(TRY_PAUSE_MS)
      await knock().catch(() => undefined)
    }
  })()
  const after = await Promise.all(targets.map(({ to, port }) => opens(to, port, end, outside, tryPort)))
  await again
  return {
    destinations,
    sendings,
    seen: targets.map((target, i) => ({ ...target, before: before[i]!, after: after[i]! })),
  }
}

/** The ports, of these, that open at one address within `timeoutMs` of one knock more. */
export async function opensBy(
  knock: () => Promise<Outcome>,
  targets: readonly Pick<Seen, 'to' | 'port'>[],
  timeoutMs: number,
  outside: Outside,
  tryPort: TryPort,
): Promise<number[]> {
  await knock().catch(() => undefined)
  const end = performance.now() + timeoutMs
  const looks = await Promise.all(targets.map(({ to, port }) => opens(to, port, end, outside, tryPort)))
  return [...new Set(targets.flatMap(({ port }, i) => (looks[i]!.kind === 'open' ? [port] : [])))]
}

/** What is found: families without an address are left out. */
async function found({ host, families }: Place, { lookup }: Outside): Promise<Destination[]> {
  const settled = await Promise.allSettled(resolve(host, families, lookup))
  return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}

async function opens(to: Destination, port: number, end: number, outside: Outside, tryPort: TryPort): Promise<Look> {
  for (let pauseMs = 10; ; pauseMs = Math.min(500, pauseMs * 2)) {
    const look = await tryPort(to, port, Math.max(MIN_TRY_MS, Math.min(AFTER_MS, end - performance.now())))
    if (look.kind === 'open' || performance.now() + pauseMs >= end) return look
    await outside.pause(pauseMs)
  }
}
