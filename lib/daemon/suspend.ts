/**
 * How long the machine slept: nf_tables' timeouts stand still in a suspend (they count jiffies), leases must not.
 * CLOCK_BOOTTIME goes on in a suspend, CLOCK_MONOTONIC does not; what their distance grows by was slept.
 */
import { uptime } from 'node:os'

/** Below this it is the two clocks' different grain, not sleep. */
const LEAST_MS = 1000

/** A function that gives the ms slept since it was asked last, 0 where none. `bootMs` is CLOCK_BOOTTIME. */
export function suspendWatch(monoMs: () => number, bootMs: () => number = () => uptime() * 1000): () => number {
  let distance = bootMs() - monoMs()
  return () => {
    const slept = bootMs() - monoMs() - distance
    if (slept < LEAST_MS) return 0
    distance += slept
    return slept
  }
}
