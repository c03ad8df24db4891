/** letmein's exchange, and then the ports themselves: until each takes a connection. */
import type { ClientOutside } from './client-system.js'
import { isLetIn, type LetmeinErrand, type LetmeinOutcome, performLetmein } from './letmein.js'
import { remembered, resolve } from './resolve.js'
import { type Opened, Watch } from './watch.js'

export interface Wait {
  readonly ports: readonly number[]
  /** From the first KNOCK on. */
  readonly timeoutMs: number
  /** The ports are tried from the beginning, for they may be open already; else once the server has said COMEIN. */
  readonly isTriedAtOnce?: boolean
}

/** A connection to a port that is open anyway is not told later than an exchange that fails. */
const LAST_LOOK_MS = 500

export interface WaitedOutcome extends LetmeinOutcome {
  /** Ports found open; empty where nothing was waited for. */
  readonly opened: ReadonlyMap<number, Opened>
}

/** Throws as `performLetmein` does; a port that stays shut is an outcome. Ports are not tried where nobody was let in. */
export async function knockAndWait(
  errand: LetmeinErrand,
  wait: Wait | undefined,
  outside: ClientOutside,
): Promise<WaitedOutcome> {
  if (wait === undefined) return { ...(await performLetmein(errand, outside)), opened: new Map() }
  const watch = new Watch(wait.ports, wait.timeoutMs, outside.probe)
  const end = new AbortController()
  const shared = { ...outside, lookup: remembered(outside.lookup) }
  if (wait.isTriedAtOnce) followAtOnce(errand, watch, shared)
  void watch.over.then(() => end.abort())
  try {
    const { answers } = await performLetmein(errand, shared, end.signal)
    const good = [...answers.values()].filter((some) => isLetIn(some, errand)).flat()
    const addresses = new Set(good.flatMap(({ end, to }) => (end === 'comein' ? [to] : [])))
    if (addresses.size > 0) {
      watch.follow([...addresses])
      await watch.over
    } else if (wait.isTriedAtOnce) await Promise.race([watch.over, outside.pause(LAST_LOOK_MS)])
    return { answers, opened: watch.opened }
  } finally {
    watch.stop()
  }
}

function followAtOnce({ host, families }: LetmeinErrand, watch: Watch, { lookup }: ClientOutside): void {
  const ignore = () => {} // performLetmein meets the same.
  for (const family of resolve(host, families, lookup)) family.then((found) => watch.follow(found), ignore)
}
