/**
 * A knock looked at from all sides: what each address of the host says before and after, what could not be sent. It judges nothing;
 * lib/cli/doctor/ does.
 */
import { type Errand, type Outside, perform } from './perform.js'
import { type Destination, resolve } from './resolve.js'
import type { Sending } from './send.js'
import type { Look } from './try-port.js'

const BEFORE_MS = 1_000
const AFTER_MS = 1_500
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

/** Looks, knocks (up to three times, a second apart), and looks until `timeoutMs` have gone. Throws as `perform` does. */
export async function examine(
  errand: Errand,
  ports: readonly number[],
  timeoutMs: number,
  outside: Outside,
  tryPort: TryPort,
): Promise<Examined> {
  const destinations = await found(errand, outside)
  const targets = destinations.flatMap((to) => ports.map((port) => ({ to, port })))
  const before = await Promise.all(targets.map(({ to, port }) => tryPort(to, port, BEFORE_MS)))
  const { wait: _, ...delivery } = errand
  // All go out at once, so the tries are ours to space.
  const once = { ...delivery, tries: 1 }
  const { sendings } = await perform(once, outside)
  const end = performance.now() + timeoutMs
  const again = (async () => {
    for (let i = 1; i < TRIES && performance.now() + TRY_PAUSE_MS < end; i++) {
      await outside.pause(TRY_PAUSE_MS)
      await perform(once, outside).catch(() => undefined)
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

/** What is found: families without an address are left out. */
async function found({ host, families }: Errand, { lookup }: Outside): Promise<Destination[]> {
  const settled = await Promise.allSettled(resolve(host, families, lookup))
  return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}

async function opens(to: Destination, port: number, end: number, outside: Outside, tryPort: TryPort): Promise<Look> {
  for (let pauseMs = 10; ; pauseMs = Math.min(500, pauseMs * 2)) {
    const look = await tryPort(to, port, AFTER_MS)
    if (look.kind === 'open' || performance.now() + pauseMs >= end) return look
    await outside.pause(pauseMs)
  }
}
