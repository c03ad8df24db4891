/**
 * May they? An authentic, fresh request against what the configuration allows (docs/PROTOCOL.md, "What the server does",
 * step 6). Pure. The monitor asks again, of its own configuration.
 */
import type { Request } from '../gate/verdict.js'
import type { ListenerResource } from './settings.js'

export type PolicyRefusal = 'resource' | 'not-allowed' | 'address-required' | 'address-refused'

export type Judgement =
  | { readonly kind: 'allowed'; readonly lifetimeSeconds: number }
  | { readonly kind: 'refused'; readonly why: PolicyRefusal }

/** `resource` is what the request names, or undefined where there is no such resource. */
export function judgeRequest(request: Request, resource: ListenerResource | undefined): Judgement {
  if (resource === undefined) return { kind: 'refused', why: 'resource' }
  // fwknop's gate has judged by OPEN_PORTS: no list of users has a stanza in it.
  if (request.protocol !== 'fwknop' && resource.users !== undefined && !resource.users.includes(request.user))
    return { kind: 'refused', why: 'not-allowed' }
  if (resource.requireAddress === 'yes' && !request.addressSigned) return { kind: 'refused', why: 'address-required' }
  if (resource.requireAddress === 'no' && request.addressSigned) return { kind: 'refused', why: 'address-refused' }
  return { kind: 'allowed', lifetimeSeconds: Math.min(request.lifetimeSeconds, resource.maxLifetimeSeconds) }
}
