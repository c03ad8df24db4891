/**
 * May they? An authentic, fresh request against what the configuration allows (docs/PROTOCOL.md, "What the server does",
 * step 6). Pure. The monitor asks again, of its own configuration.
 */
import type { Person } from '../config/types.js'
import type { Request } from '../gate/verdict.js'
import type { ListenerResource } from './settings.js'
import { type Standing, standingOf } from './standing.js'

export type PolicyRefusal =
  | 'resource'
  | 'not-allowed'
  | 'address-required'
  | 'address-refused'
  | Extract<Standing, { kind: 'refused' }>['why']

export type Judgement =
  | { readonly kind: 'allowed'; readonly lifetimeSeconds: number }
  | { readonly kind: 'refused'; readonly why: PolicyRefusal }

/**
 * `resource` is what the request names, or undefined where there is no such resource; `person` what [USERS] says of the user.
 * How long his time lets a lease be is the monitor's.
 */
export function judgeRequest(
  request: Request,
  resource: ListenerResource | undefined,
  person: Person | undefined,
  wallMs: number,
): Judgement {
  if (resource === undefined) return { kind: 'refused', why: 'resource' }
  // fwknop's gate has judged by OPEN_PORTS: no list of users has a stanza in it.
  if (request.protocol !== 'fwknop' && resource.users !== undefined && !resource.users.includes(request.user))
    return { kind: 'refused', why: 'not-allowed' }
  if (resource.requireAddress === 'yes' && !request.addressSigned) return { kind: 'refused', why: 'address-required' }
  if (resource.requireAddress === 'no' && request.addressSigned) return { kind: 'refused', why: 'address-refused' }
  const standing = request.operation === 'revoke' ? undefined : standingOf(person, request.address, wallMs)
  if (standing?.kind === 'refused') return standing
  return { kind: 'allowed', lifetimeSeconds: Math.min(request.lifetimeSeconds, resource.maxLifetimeSeconds) }
}
