/**
 * Sources that got in lately by a protocol whose datagrams carry no tag (nftables/letmein.nft, nftables/fwknop.nft): there is
 * room for them when strangers have taken all that there was.
 */
import { addressToKey, familyOf, type IpAddress } from '../wire/address.js'
import type { Installation } from './installation.js'
import { FirewallError, type Kernel } from './types.js'

/** Protocols whose datagrams pass by shape. */
export type ShapedProtocol = 'letmein' | 'fwknop'

/** Whoever has IPv6 has a /64 at least. */
const PREFIX_BYTES = 8

/**
 * Puts a source (of IPv6 its /64) among those that are known, for a day from now. False where it could not be: the protocol is
 * off, or the set is full. No access depends on it.
 */
export function noteSource(
  kernel: Kernel,
  installation: Installation,
  protocol: ShapedProtocol,
  address: IpAddress,
): boolean {
  const to = installation.ownSet(`${protocol}_known${familyOf(address)}`)
  if (to === undefined) return false
  try {
    kernel.apply([{ kind: 'add', to, elements: [{ key: sourceKey(address) }], replace: true }])
    return true
  } catch (error) {
    if (error instanceof FirewallError) return false
    throw error
  }
}

function sourceKey(address: IpAddress): Uint8Array {
  const key = addressToKey(address)
  return familyOf(address) === 4 ? key : key.fill(0, PREFIX_BYTES)
}
