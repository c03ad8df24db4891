/** How shut looks like this host's own shut ports: `closed = auto` (docs/ARCHITECTURE.md, "guard"). Pure. */
import type { ServerConfig } from '../config/types.js'
import type { Closed } from './ruleset.js'
import type { Kernel } from './types.js'

const LOCAL_IN = 1

/** A host with a firewall that drops by default is silent; any other refuses. Our own table's chains do not count. */
export function closedWay({ firewall }: ServerConfig, kernel: Pick<Kernel, 'baseChains'>): Closed {
  if (firewall.closed !== 'auto') return firewall.closed
  const drops = kernel
    .baseChains()
    .some(({ hook, policy, table }) => hook === LOCAL_IN && policy === 'drop' && table !== firewall.table)
  return drops ? 'drop' : 'reject'
}
