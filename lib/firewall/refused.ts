/** What the kernel's refusal of a batch means for the requests in it. Pure. */
import { FirewallError, type LeaseOutcome } from './types.js'

/** A request that the firewall did not take; anything else is thrown on. */
export function refusedBy(error: unknown): LeaseOutcome {
  if (!(error instanceof FirewallError)) throw error
  return { kind: 'refused', why: 'firewall', detail: `${error.code}: ${error.message}` }
}

/** Somebody took our sets out of the kernel. */
export function isGone(error: unknown): boolean {
  return error instanceof FirewallError && (error.code === 'no-set' || error.code === 'no-table')
}
