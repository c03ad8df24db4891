/** The listener's wishes held again against our own [USERS] and ACCESS_EXPIRE, which the rule manager, who knows no wall clock, leaves to us. Pure. */
import type { ServerConfig } from '../config/types.js'
import { stanzaOf } from '../firewall/fwknop-users.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import { REASONS } from './reasons.js'
import { standingOf } from './standing.js'

/** What becomes of each, in their order: those that may not be now are refused, the others go to `perform`, cut to his time. */
export function performWelcome(
  requests: readonly LeaseRequest[],
  config: ServerConfig,
  wallMs: number,
  perform: (requests: readonly LeaseRequest[]) => LeaseOutcome[],
): LeaseOutcome[] {
  if (config.people.size === 0 && config.fwknop === undefined) return perform(requests)
  const judged = requests.map((request) => welcome(request, config, wallMs))
  const outcomes = perform(judged.flatMap((one) => ('kind' in one ? [] : [one])))
  return judged.map((one) => ('kind' in one ? one : outcomes.shift()!))
}

function welcome(request: LeaseRequest, config: ServerConfig, wallMs: number): LeaseRequest | LeaseOutcome {
  const { user, operation, address, lifetimeMs } = request
  const stanza = stanzaOf(user, config)
  if (stanza?.expiresMs !== undefined && wallMs >= stanza.expiresMs)
    return { kind: 'refused', why: 'user', detail: REASONS['fwknop-expired'] }
  const person = user === undefined ? undefined : config.people.get(user)
  if (person === undefined || operation === 'revoke') return request
  const standing = standingOf(person, address, wallMs)
  if (standing.kind === 'refused') return { kind: 'refused', why: 'user', detail: REASONS[standing.why] }
  const wantedMs = lifetimeMs > 0 ? lifetimeMs : (config.resources.get(request.resource)?.timeoutMs ?? 0)
  return wantedMs <= standing.untilMs - wallMs ? request : { ...request, lifetimeMs: standing.untilMs - wallMs }
}
