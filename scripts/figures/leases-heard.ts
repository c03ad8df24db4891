/** The kernel's own word that leases were made, as scripts/figures/events.pl hears it. */
import { readElements } from '../../lib/firewall/netlink/elements.js'
import { decodeEvents } from '../../lib/firewall/netlink/events.js'
import { messagesOf } from '../../lib/firewall/netlink/message.js'
import { NFT_MESSAGE } from '../../lib/firewall/netlink/numbers.js'
import type { SetElement } from '../../lib/firewall/types.js'

/**
 * How many leases a datagram of events says were made or moved. A lease that is written down is one transaction of adding,
 * deleting and adding its key (lib/firewall/netlink/batch.ts), so those that are deleted are taken off.
 */
export function leasesIn(bytes: Uint8Array): number {
  let leases = 0
  for (const message of messagesOf(bytes)) {
    const sign = message.type === NFT_MESSAGE.newElement ? 1 : message.type === NFT_MESSAGE.deleteElement ? -1 : 0
    if (sign === 0) continue
    const [event] = decodeEvents(bytes.subarray(message.start - 16, message.end))
    if (event?.kind !== 'elements' || !event.name?.startsWith('lease')) continue
    const elements: SetElement[] = []
    readElements(message, elements)
    leases += sign * elements.length
  }
  return leases
}
