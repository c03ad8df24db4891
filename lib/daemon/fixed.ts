/** What a reload cannot change. Pure. */
import type { ServerConfig } from '../config/types.js'

/** Why a reload to this configuration is refused, in words; undefined where it is not. */
export function reloadRefusal(old: ServerConfig, now: ServerConfig): string | undefined {
  // What a full disk leaves of a file reads as one that guards nothing.
  if (old.resources.size > 0 && now.resources.size === 0)
    return `${now.file} has no resource left; to guard nothing: posternd down`
  const fixed = fixedDifference(old, now)
  return fixed === undefined ? undefined : `${fixed} can only change with a restart`
}

/** The name of the first option that differs of those that sockets and tables were made for; undefined where none does. */
function fixedDifference(old: ServerConfig, now: ServerConfig): string | undefined {
  const fixed = (config: ServerConfig) => ({
    mode: config.firewall.mode,
    table: config.firewall.table,
    chain: JSON.stringify(config.firewall.chain),
    'heard-group': config.firewall.heardGroup,
    'record-group': config.firewall.recordGroup,
    mark: config.firewall.markBit,
    'replay-entries': config.limits.replayEntries,
  })
  const before = fixed(old)
  const after = fixed(now)
  return (Object.keys(before) as (keyof typeof before)[]).find((name) => before[name] !== after[name])
}
