/** What log and status call users and resources: by the names of the configuration, and by their ids behind them. Pure. */
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'

interface Named {
  readonly name?: string
}

/** `user alice (00000002)`, `user 00000002`. */
export function userWords(user: UserId, named: Named | undefined): string {
  return `user ${idWords(user, named)}`
}

/** `ssh (00000022)`, `00000022`. */
export function idWords(id: UserId | ResourceId, named: Named | undefined): string {
  return named?.name === undefined ? formatId(id) : `${named.name} (${formatId(id)})`
}
