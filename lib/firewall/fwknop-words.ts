/** Which words of the configuration go into nftables/fwknop.nft. Pure. */
import type { ServerConfig } from '../config/types.js'
import type { FwknopStanza } from '../gate/fwknop-stanza.js'
import { metTimeoutText } from './letmein-words.js'
import type { Words } from './template.js'

/**
 * A packet is held against each distinct HMAC key, at 15–80 µs each. So many a second, and at once, are a good part of one core;
 * with hundreds of keys fewer packets go up than the configuration allows.
 */
const MOST_CHECKS = 8000

/** Whether fwknop's clients are heard. */
export function hearsFwknop({ fwknop }: ServerConfig): boolean {
  return fwknop !== undefined && (fwknop.ports === 'any' || fwknop.ports.length > 0)
}

/** None where they are not. */
export function fwknopWords({ firewall, fwknop }: ServerConfig): Words {
  if (fwknop === undefined) return {}
  const { burst, burstAll, ports, rate, rateAll, settings } = fwknop
  const most = Math.max(1, Math.floor(MOST_CHECKS / Math.max(1, distinctKeys(settings.stanzas))))
  return {
    table: firewall.table,
    'listed-fwknop': ports !== 'any',
    'any-fwknop': ports === 'any',
    'fwknop-ports': ports === 'any' ? '' : ports.join(', '),
    'fwknop-rate': `${rate}`,
    'fwknop-burst': `${burst}`,
    'fwknop-rate-all': `${Math.min(rateAll, most)}`,
    'fwknop-burst-all': `${Math.min(burstAll, most)}`,
    'fwknop-met-timeout': metTimeoutText(rate, burst),
    'heard-group': `${firewall.heardGroup}`,
  }
}

function distinctKeys(stanzas: readonly FwknopStanza[]): number {
  const hex = (key: Uint8Array) => Buffer.from(key).toString('hex')
  const names = stanzas.map(({ keys: { hmac, key, mode } }) =>
    hmac === undefined ? `${mode} ${hex(key)}` : `${hmac.digest} ${hex(hmac.key)}`,
  )
  return new Set(names).size
}
