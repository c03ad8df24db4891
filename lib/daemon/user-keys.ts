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
}

/** Sub-keys for every user of the configuration, none where SPA is off. */
export function deriveUserKeys(config: ServerConfig): UserKeys[] {
  if (!config.spa.enabled) return []
  const instant = [...config.resources.values()].filter((resource) => resource.instant)
  return [...config.users].map(([id, key]) => {
    const derive = (use: 'tag' | 'seal' | 'instant') => deriveKey(key, config.spa.realm, use)
    const mayInstant = instant.some((resource) => resource.users === undefined || resource.users.includes(id))
    return { id, tag: derive('tag'), seal: derive('seal'), ...(mayInstant ? { instant: derive('instant') } : {}) }
  })
}
