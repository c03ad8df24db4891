/** Whether a user may come in now, and for how long: what [USERS] says of his time and of the networks that he opens for. Pure. */
import { withinUntil } from '../config/hours.js'
import { isWithin } from '../config/networks.js'
import type { Person } from '../config/types.js'
import type { IpAddress } from '../wire/address.js'

export type Standing =
  /** A lease of his may not outlive this time, Unix ms. */
  | { readonly kind: 'welcome'; readonly untilMs: number }
  | { readonly kind: 'refused'; readonly why: 'user-expired' | 'user-hours' | 'user-network' }

/** `address`: the one that would be opened for. */
export function standingOf(person: Person | undefined, address: IpAddress, wallMs: number): Standing {
  const { untilMs = Number.POSITIVE_INFINITY, hours, networks } = person ?? {}
  if (wallMs >= untilMs) return { kind: 'refused', why: 'user-expired' }
  const hoursEndMs = hours === undefined ? Number.POSITIVE_INFINITY : withinUntil(hours, wallMs)
  if (hoursEndMs === undefined) return { kind: 'refused', why: 'user-hours' }
  if (networks !== undefined && !networks.some((network) => isWithin(address, network)))
    return { kind: 'refused', why: 'user-network' }
  return { kind: 'welcome', untilMs: Math.min(untilMs, hoursEndMs) }
}
