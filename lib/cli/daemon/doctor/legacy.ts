/** The rules of iptables-legacy: netfilter's older tables, which nft does not list and which count beside its own. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LOADED = '/proc/net/ip_tables_names'
const TIMEOUT_MS = 10_000

export const LEGACY_NOTE =
  'this host has rules of iptables-legacy, too, which nft does not list: of them only the ports that docker sends on were looked at (iptables-legacy-save)'

/** What `iptables-legacy-save` prints where such a table has a rule; else nothing. */
export function legacyRules(): string {
  if (!isLoaded()) return ''
  const { stdout, status } = spawnSync('iptables-legacy-save', [], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    maxBuffer: 64 << 20,
  })
  return status === 0 && /^-A /m.test(stdout) ? stdout : ''
}

/** Asked first: the program itself would load the modules and make the tables. */
function isLoaded(): boolean {
  try {
    return readFileSync(LOADED, 'latin1').trim() !== ''
  } catch {
    return false
  }
}
