/** Which words of the configuration go into nftables/fwknop.nft. Pure. */
import type { ServerConfig } from '../config/types.js'
import { metTimeoutText } from './letmein-words.js'
import type { Words } from './template.js'

/** Whether fwknop's clients are heard. */
export function hearsFwknop({ fwknop }: ServerConfig): boolean {
  return fwknop !== undefined && (fwknop.ports === 'any' || fwknop.ports.length > 0)
}

/** None where they are not. */
export function fwknopWords({ firewall, fwknop }: ServerConfig): Words {
  if (fwknop === undefined) return {}
  const { burst, burstAll, ports, rate, rateAll } = fwknop
  return {
    table: firewall.table,
    'listed-fwknop': ports !== 'any',
    'any-fwknop': ports === 'any',
    'fwknop-ports': ports === 'any' ? '' : ports.join(', '),
    'fwknop-rate': `${rate}`,
    'fwknop-burst': `${burst}`,
    'fwknop-rate-all': `${rateAll}`,
    'fwknop-burst-all': `${burstAll}`,
    'fwknop-met-timeout': metTimeoutText(rate, burst),
    'heard-group': `${firewall.heardGroup}`,
  }
}
