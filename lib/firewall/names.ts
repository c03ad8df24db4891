/**
 * Names and keys of everything that is ours in the kernel: the one place that makes them and reads them back
 * (docs/ARCHITECTURE.md, "Leases live in the kernel"). Comments: comments.ts. Pure.
 */
import { addressFromBytes, addressToKey, type Family, familyOf, type IpAddress } from '../wire/address.js'
import { formatId, parseId, type ResourceId } from '../wire/ids.js'

/** What a set of a resource's holds. `live`: an element while any lease lives, for jumps that are for all traffic. */
export type SetKind = 'lease4' | 'lease6' | 'conn4' | 'conn6' | 'inst' | 'live'

/** In postern's own table a set is `lease4_0000002A`; among an administrator's sets it says whose it is. */
export function setName(kind: SetKind, resource: ResourceId, where: 'own' | 'host'): string {
  return `${where === 'host' ? 'postern_' : ''}${kind}_${formatId(resource)}`
}

/** What a set's name says, or undefined where it is none of these. */
export function parseSetName(name: string, where: 'own' | 'host'): { kind: SetKind; resource: ResourceId } | undefined {
  const [, prefix, kind, id] = /^(postern_)?(lease4|lease6|conn4|conn6|inst|live)_([0-9A-F]{8})$/.exec(name) ?? []
  if (id === undefined || (prefix !== undefined) !== (where === 'host')) return undefined
  return { kind: kind as SetKind, resource: parseId(id)! }
}

/** An empty chain whose name says which ruleset the table was loaded from. */
export function shapeChain(fingerprint: string): string {
  return `shape_${fingerprint}`
}

export function isShapeChain(name: string): boolean {
  return /^shape_[0-9a-f]{16}$/.test(name)
}

export function leaseKind(address: IpAddress): 'lease4' | 'lease6' {
  return familyOf(address) === 4 ? 'lease4' : 'lease6'
}

export function connKind(address: IpAddress): 'conn4' | 'conn6' {
  return familyOf(address) === 4 ? 'conn4' : 'conn6'
}

/** The kernel's key for an address: 4 or 16 bytes. */
export function leaseKey(address: IpAddress): Uint8Array {
  return addressToKey(address)
}

export function addressOfKey(key: Uint8Array): IpAddress {
  return addressFromBytes(key)
}

/** Keys of a `live` set: what `meta protocol` says of a packet (EtherTypes, big-endian). */
export function liveKeys(families: readonly Family[]): Uint8Array[] {
  return families.map((family) => (family === 4 ? Uint8Array.of(0x08, 0x00) : Uint8Array.of(0x86, 0xdd)))
}
