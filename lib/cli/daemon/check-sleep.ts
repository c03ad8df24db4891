/** Whether instant knocks are safe on a machine that sleeps. Pure but for what is handed in. */
import { existsSync } from 'node:fs'
import type { ServerConfig } from '../../config/types.js'

const WANTS = '/etc/systemd/system'

/**
 * Said where systemd starts the daemon and not what empties the kernel of tokens ahead of a sleep: an installation that was made
 * before there was such a unit.
 */
export function warningsForSleep({ resources, firewall }: ServerConfig, exists = existsSync): string[] {
  const hasInstant = firewall.mode === 'guard' && [...resources.values()].some(({ instant }) => instant)
  const isEnabled = (target: string, unit: string) => exists(`${WANTS}/${target}.wants/${unit}.service`)
  if (!hasInstant || !isEnabled('multi-user.target', 'postern') || isEnabled('sleep.target', 'postern-sleep')) return []
  return [
    'instant: if this machine sleeps, a knock that was recorded meanwhile may open a port when it wakes up: systemctl enable postern-sleep',
  ]
}
