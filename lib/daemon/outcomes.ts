/** What became of a request, in words for the log and the administrator. Pure. */
import type { ServerConfig } from '../config/types.js'
import { stanzaOf } from '../firewall/fwknop-users.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import { idWords, userWords } from './called.js'
import type { Frame } from './frames.js'
import { REASON_LIST, REASONS } from './reasons.js'

const REFUSALS = {
  'unknown-resource': 'there is no such resource',
  user: 'this user may not open this resource',
  'resource-limit': 'the resource has as many leases as it may have',
  'user-limit': 'the user has as many leases as he may have',
  family: 'the resource is not reachable by this address family',
  firewall: 'the firewall did not take it',
  late: 'it waited too long to be done',
} as const

/** "opened for 30 s", "refused (…)". */
export function describeOutcome(outcome: LeaseOutcome): string {
  switch (outcome.kind) {
    case 'opened':
      return `opened for ${seconds(outcome.remainingMs)}`
    case 'prolonged':
      return `prolonged to ${seconds(outcome.remainingMs)}`
    case 'unchanged':
      return `open already, ${seconds(outcome.remainingMs)} left`
    case 'revoked':
      return 'revoked'
    case 'absent':
      return 'no such lease'
    case 'refused':
      return `refused (${REFUSALS[outcome.why]}${outcome.detail === undefined ? '' : `: ${outcome.detail}`})`
    default:
      outcome satisfies never
      return ''
  }
}

/** What [USERS], [RESOURCES] and access.conf call somebody and something, whose numbers say little. */
export interface Names {
  /** "user alice (0000000A)", "access.conf:12". */
  readonly who: string
  /** "ssh (00000022)". */
  readonly resource?: string
}

/** Of a user and a resource; undefined: the administrator, and nothing. */
export function namesOf(user: UserId | undefined, resource: ResourceId | undefined, config: ServerConfig): Names {
  const named = user === undefined ? 'the administrator' : userWords(user, config.people.get(user))
  const who = stanzaOf(user, config)?.title ?? named
  return resource === undefined ? { who } : { who, resource: idWords(resource, config.resources.get(resource)) }
}

/** "open ssh (00000022) for 192.0.2.7, user alice (0000000A)". */
export function describeRequest({ operation, address }: LeaseRequest, { who, resource }: Names): string {
  return `${operation} ${resource} for ${address}, ${who}`
}

/** "refused a knock from 192.0.2.7 (user alice (0000000A), open ssh (00000022)): it was seen before". `words`: what else is told. */
export function describeRefusal(
  { protocol, wish, reason, address, leftOut }: Extract<Frame, { kind: 'refused' }>,
  { who, resource }: Names,
  words: string,
): string | undefined {
  const why = REASON_LIST[reason]
  if (why === undefined) return undefined
  const whose = protocol === 'letmein' ? `letmein ${who}` : who
  const asked = wish === undefined ? '' : `, ${wish.operation} ${resource}`
  const more = words === '' ? '' : ` (${words})`
  const others = leftOut === 0 ? '' : `; ${leftOut} more like it were not told`
  return `refused a knock from ${address} (${whose}${asked}): ${REASONS[why]}${more}${others}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
