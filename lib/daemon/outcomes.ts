/** What became of a request, in words for the log and the administrator. Pure. */
import type { ServerConfig } from '../config/types.js'
import { stanzaOf } from '../firewall/fwknop-users.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import { idWords, userWords } from './called.js'

const REFUSALS = {
  'unknown-resource': 'there is no such resource',
  user: 'this user may not open this resource',
  'resource-limit': 'the resource has as many leases as it may have',
  'user-limit': 'the user has as many leases as he may have',
  family: 'the resource is not reachable by this address family',
  firewall: 'the firewall did not take it',
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

/** "open ssh (00000022) for 192.0.2.7, user alice (0000000A)"; a stanza of fwknop's by its title, for its number says nothing. */
export function describeRequest({ user, resource, operation, address }: LeaseRequest, config: ServerConfig): string {
  const who = user === undefined ? 'the administrator' : userWords(user, config.people.get(user))
  const what = idWords(resource, config.resources.get(resource))
  return `${operation} ${what} for ${address}, ${stanzaOf(user, config)?.title ?? who}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
