/** Which words of the configuration go into nftables/letmein.nft and control.nft. Pure. */
import type { ServerConfig } from '../config/types.js'
import { sizeText, timeText } from './nft-text.js'
import type { Words } from './template.js'

const LEAST_USERS = 2048
/** A source that was still for so long is forgotten, and its place free for another. */
const LEAST_MET_MS = 5000

/** Whether letmein's clients are heard over UDP. */
export function hearsLetmein({ letmein: { enabled, ports } }: ServerConfig): boolean {
  return enabled && (ports.udp === 'any' || ports.udp.length > 0)
}

export function letmeinWords({ firewall, letmein, users }: ServerConfig): Words {
  const { burst, burstAll, ports, rate, rateAll } = letmein
  return {
    table: firewall.table,
    'listed-letmein': ports.udp !== 'any',
    'any-letmein': ports.udp === 'any',
    'letmein-ports': ports.udp === 'any' ? '' : ports.udp.join(', '),
    'letmein-rate': `${rate}`,
    'letmein-burst': `${burst}`,
    'letmein-rate-all': `${rateAll}`,
    'letmein-burst-all': `${burstAll}`,
    'heard-group': `${firewall.heardGroup}`,
    'users-size': sizeText(Math.max(LEAST_USERS, users.size)),
    'met-timeout': metTimeoutText(rate, burst),
  }
}

/** How long a source is remembered: one that was forgotten sooner would have its whole burst again. */
export function metTimeoutText(rate: number, burst: number): string {
  return timeText(Math.max(LEAST_MET_MS, (1000 * burst) / rate))
}

/** Chain mode: the control ports that letmein's clients connect to. */
export function controlWords({ firewall, letmein }: ServerConfig): Words {
  const { family, table, input } = firewall.chain!
  return { family, 'host-table': table, input, control: letmein.enabled ? letmein.ports.tcp.map(String) : [] }
}
