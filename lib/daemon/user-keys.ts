/**
 * The sub-keys of all users, derived once when a configuration is read. The instant keys stay in this process (the monitor's);
 * tag and seal keys go to the listener.
 */
import type { ServerConfig } from '../config/types.js'
import type { UserId } from '../wire/ids.js'
import { deriveKey } from '../wire/spa-keys.js'

export interface UserKeys {
  readonly id: UserId
  readonly tag: Uint8Array
  readonly seal: Uint8Array
  /** Only where some instant resource may be opened by this user. */
  readonly instant?: Uint8Array
  /** A rotation's old key: from this time on, Unix ms, it is dead. */
  readonly untilMs?: number
  /** So long tokens of his are of use: to the end of this key, or a lease's length ahead of the end of his own time, Unix ms. */
  readonly tokensUntilMs?: number
}

/** Sub-keys for every key of every user of the configuration, none where SPA is off. */
export function deriveUserKeys(config: ServerConfig): UserKeys[] {
  if (!config.spa.enabled) return []
  const instant = [...config.resources.values()].filter((resource) => resource.instant)
  const keys = [...config.users].flatMap(([id, key]): { id: UserId; key: Uint8Array; untilMs?: number }[] => [
    { id, key },
    ...(config.oldKeys.get(id) ?? []).map((old) => ({ id, ...old })),
  ])
  return keys.map(({ id, key, ...until }) => {
    const derive = (use: 'tag' | 'seal' | 'instant') => deriveKey(key, config.spa.realm, use)
    const { untilMs: personUntilMs, hours, networks } = config.people.get(id) ?? {}
    // The kernel knows no hours and no networks: such users have no tokens, and come in by the ordinary datagram.
    const isBound = hours !== undefined || networks !== undefined
    const his = instant.filter((resource) => resource.users === undefined || resource.users.includes(id))
    const mayInstant = !isBound && his.length > 0
    // Nor does it cut a lease: his last token is used up a whole lease ahead of his end.
    const longestMs = Math.max(0, ...his.map(({ timeoutMs }) => timeoutMs))
    return {
      id,
      tag: derive('tag'),
      seal: derive('seal'),
      ...(mayInstant ? { instant: derive('instant') } : {}),
      ...until,
      ...tokensUntil(until.untilMs, personUntilMs === undefined ? undefined : personUntilMs - longestMs),
    }
  })
}

function tokensUntil(...ends: readonly (number | undefined)[]): Pick<UserKeys, 'tokensUntilMs'> {
  const known = ends.filter((end) => end !== undefined)
  return known.length === 0 ? {} : { tokensUntilMs: Math.min(...known) }
}
