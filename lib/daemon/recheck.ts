/** The listener's wishes held again against their age and our own [USERS] and ACCESS_EXPIRE, which the rule manager, who knows no wall clock, leaves to us. Pure. */
import type { ServerConfig } from '../config/types.js'
import { stanzaOf } from '../firewall/fwknop-users.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import { REASONS } from './reasons.js'
import { standingOf } from './standing.js'

/**
 * What waited longer, while we were stopped or the machine slept, opens nothing: whoever knocked may be elsewhere by now, and
 * somebody else at his address.
 */
export const LATE_MS = 10_000

/** A request, and when its datagram was heard, Unix ms; undefined: the administrator's own. */
export type Wish = LeaseRequest & { readonly heardMs?: number }

/** The rule manager's part of it. */
export type Perform = (requests: readonly LeaseRequest[]) => LeaseOutcome[]

/** What becomes of each, in their order: those that may not be now are refused, the others go to `perform`, cut to his time. */
export function performWelcome(
  wishes: readonly Wish[],
  config: ServerConfig,
  wallMs: number,
  perform: Perform,
): LeaseOutcome[] {
  const judged = wishes.map((wish) => welcome(wish, config, wallMs))
  const outcomes = perform(judged.flatMap((one) => ('kind' in one ? [] : [one])))
  return judged.map((one) => ('kind' in one ? one : outcomes.shift()!))
}

/** The same of wishes that stand or fall together, as `perform` takes them. */
export function performTogether(
  wishes: readonly Wish[],
  config: ServerConfig,
  wallMs: number,
  perform: Perform,
): LeaseOutcome[] {
  const judged = wishes.map((wish) => welcome(wish, config, wallMs))
  const refused = judged.find((one) => 'kind' in one)
  return refused === undefined ? perform(judged as LeaseRequest[]) : wishes.map(() => refused as LeaseOutcome)
}

function welcome(wish: Wish, config: ServerConfig, wallMs: number): LeaseRequest | LeaseOutcome {
  const { heardMs, ...request } = wish
  const { user, operation, address, lifetimeMs } = request
  // To shut is never too late.
  if (operation === 'revoke') return request
  // A clock that was set meanwhile tells no age, either way.
  if (heardMs !== undefined && Math.abs(wallMs - heardMs) > LATE_MS)
    return { kind: 'refused', why: 'late', detail: `${Math.round(Math.abs(wallMs - heardMs) / 1000)} s` }
  const stanza = stanzaOf(user, config)
  if (stanza?.expiresMs !== undefined && wallMs >= stanza.expiresMs)
    return { kind: 'refused', why: 'user', detail: REASONS['fwknop-expired'] }
  const person = user === undefined ? undefined : config.people.get(user)
  if (person === undefined) return request
  const standing = standingOf(person, address, wallMs)
  if (standing.kind === 'refused') return { kind: 'refused', why: 'user', detail: REASONS[standing.why] }
  const wantedMs = lifetimeMs > 0 ? lifetimeMs : (config.resources.get(request.resource)?.timeoutMs ?? 0)
  return wantedMs <= standing.untilMs - wallMs ? request : { ...request, lifetimeMs: standing.untilMs - wallMs }
}
