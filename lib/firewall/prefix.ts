/** Leases for a whole prefix: the kernel's key is the address with the bits behind it zero. Pure. */
import type { PrefixLengths, Resource } from '../config/types.js'
import { addressFromBytes, addressToKey, familyOf, type IpAddress } from '../wire/address.js'
import { maskedTo } from '../wire/prefix.js'

/** The address that a resource's lease for this one is kept under: itself, or the first of its prefix. */
export function leasedAddress(address: IpAddress, { prefix }: Pick<Resource, 'prefix'>): IpAddress {
  if (prefix === undefined) return address
  const key = addressToKey(address)
  return addressFromBytes(maskedTo(key, lengthFor(address, prefix)))
}

/** How it is written: `192.0.2.0/24` where the lease is for more than one address. */
export function leasedText(address: IpAddress, { prefix }: Pick<Resource, 'prefix'>): string {
  const bits = prefix === undefined ? undefined : lengthFor(address, prefix)
  return bits === undefined || bits === (familyOf(address) === 4 ? 32 : 128) ? address : `${address}/${bits}`
}

function lengthFor(address: IpAddress, { v4, v6 }: PrefixLengths): number {
  return familyOf(address) === 4 ? v4 : v6
}
