/** What a reload cannot change. Pure. */
import type { ServerConfig } from '../config/types.js'

/** The name of the first option that differs of those that sockets and tables were made for; undefined where none does. */
export function fixedDifference(old: ServerConfig, now: ServerConfig): string | undefined {
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
