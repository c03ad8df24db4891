/** What became of a request, in words for the log and the administrator. Pure. */
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import { formatId } from '../wire/ids.js'

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

/** "open 00000001 for 192.0.2.7, user 0000000A". `title`: what a stanza of fwknop's is called, whose number says nothing. */
export function describeRequest(request: LeaseRequest, title?: string): string {
  const who = title ?? (request.user === undefined ? 'the administrator' : `user ${formatId(request.user)}`)
  return `${request.operation} ${formatId(request.resource)} for ${request.address}, ${who}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
