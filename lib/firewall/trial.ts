/** A gate on trial: guarded are the ports while elements of the set `trial` live, so the kernel itself takes the gate back. Pure. */
import type { ServerConfig } from '../config/types.js'
import { timeText } from './nft-text.js'
import { LEAST_LEASE_MS } from './policy.js'

/** The elements, with what the trial has left, as nft text for the transaction that loads the gate; empty: none, or over. */
export function trialText({ firewall: { table, trialEndsMs } }: ServerConfig, nowMs: number): string {
  const leftMs = trialEndsMs === undefined ? 0 : trialEndsMs - nowMs
  if (leftMs < LEAST_LEASE_MS) return ''
  const elements = ['tcp', 'udp'].map((protocol) => `${protocol} timeout ${timeText(leftMs)}`)
  return `add element inet ${table} trial { ${elements.join(', ')} }\n`
}
