/**
 * What of a configuration the listener gets to know: no instant key, nothing of the firewall, and master keys only where
 * letmein is on, whose exchange needs them; fwknop's keys where fwknop is on. Pure.
 */
import { opensControlPort } from '../config/resources.js'
import type { FwknopConfig, ServerConfig } from '../config/types.js'
import type { ListenerFwknop, ListenerLetmein, ListenerSettings } from './settings.js'
import type { UserKeys } from './user-keys.js'

/** The listener's settings. */
export function settingsFor(config: ServerConfig, users: readonly UserKeys[]): ListenerSettings {
  return {
    windowMs: config.spa.windowMs,
    heardGroup: config.firewall.heardGroup,
    recordGroup: config.firewall.recordGroup,
    isLogJson: config.log.format === 'json',
    users: users.map(({ instant: _, tokensUntilMs: __, ...user }) => user),
    resources: [...config.resources.values()].map((resource) => ({
      id: resource.id,
      ...(resource.users === undefined ? {} : { users: resource.users }),
      requireAddress: resource.requireAddress,
      isControlPort: opensControlPort(resource, config.letmein.ports),
      maxLifetimeSeconds: Math.max(1, Math.floor(resource.maxTimeoutMs / 1000)),
    })),
    people: [...config.people],
    ...(config.letmein.enabled ? { letmein: letmeinFor(config) } : {}),
    ...(config.fwknop === undefined ? {} : { fwknop: fwknopFor(config.fwknop) }),
  }
}

function fwknopFor({ settings: { resources, ...rest } }: FwknopConfig): ListenerFwknop {
  return { ...rest, resources: [...resources] }
}

function letmeinFor({ users, oldKeys, letmein }: ServerConfig): ListenerLetmein {
  return {
    users: [...users].flatMap(([id, key]) => [{ id, key }, ...(oldKeys.get(id) ?? []).map((old) => ({ id, ...old }))]),
    controlTimeoutMs: letmein.controlTimeoutMs,
    errorPolicy: letmein.errorPolicy,
    tcpPorts: letmein.ports.tcp,
  }
}
