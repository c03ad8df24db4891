/**
 * How long the machine slept: nf_tables' timeouts stand still in a suspend (they count jiffies), leases must not.
 * CLOCK_BOOTTIME goes on in a suspend, CLOCK_MONOTONIC does not; what their distance grows by was slept.
 */
import { uptime } from 'node:os'
import type { RuleManager } from '../firewall/manager.js'
import { reasonOf } from '../replay/error.js'
import type { Log } from './log.js'

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

/**
 * A function to call now and then, by which leases end as if the machine had not slept. Where the firewall refuses, what was
 * slept is kept until the next call. Never throws.
 */
export function sleepless(
  slept: () => number,
  manager: Pick<RuleManager, 'afterSuspend'>,
  log: Pick<Log, 'warn' | 'error'>,
): () => void {
  let owedMs = 0
  return () => {
    const sleptMs = slept()
    if (sleptMs > 0) log.warn(`the machine slept for ${Math.round(sleptMs / 1000)} s: leases end as if it had not`)
    owedMs += sleptMs
    if (owedMs === 0) return
    try {
      manager.afterSuspend(owedMs)
      owedMs = 0
    } catch (error) {
      log.error(
        `leases could not be shortened by the ${Math.round(owedMs / 1000)} s slept, again soon: ${reasonOf(error)}`,
      )
    }
  }
}
