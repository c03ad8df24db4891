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
    const mayInstant = instant.some((resource) => resource.users === undefined || resource.users.includes(id))
    return {
      id,
      tag: derive('tag'),
      seal: derive('seal'),
      ...(mayInstant ? { instant: derive('instant') } : {}),
      ...until,
    }
  })
}
