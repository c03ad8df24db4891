/**
 * Which address this machine has towards a host, as its own routes say, and whether the host will see the same one. No third
 * party is asked, and nothing is sent. Specification: docs/PROTOCOL.md, "Naming one's own address".
 */
import { createSocket } from 'node:dgram'
import { addressToBytes16, canonicalAddress, familyOf, type IpAddress } from '../wire/address.js'
import { beginAlike } from '../wire/prefix.js'
import type { Destination } from './resolve.js'

/** The address that a datagram to this destination would leave from; undefined where there is no way there. `ownAddress` in programs. */
export type OwnAddress = (to: Destination) => Promise<IpAddress | undefined>

/** A route is looked up for an address and whatever port. */
const ANY_PORT = 9

/** Asks the kernel: a UDP socket that is connected has its source, and has sent nothing. Never rejects. */
export const ownAddress: OwnAddress = ({ address, family }) =>
  new Promise((resolve) => {
    const socket = createSocket({ type: `udp${family}`, lookup: (host, _, callback) => callback(null, host, family) })
    const finish = (source?: string) => {
      socket.close()
      resolve(source === undefined ? undefined : canonicalAddress(source.replace(/%.*/, '')))
    }
    socket.on('error', () => finish())
    socket.connect(ANY_PORT, address, (error?: Error) => finish(error ? undefined : socket.address().address))
  })

/**
 * Whether the source that the kernel would take may be named to this destination: nobody on the way is to be expected to put
 * another one in its place.
 */
export function isNameable(source: IpAddress, to: Destination): boolean {
  return isGlobal(source) && !isWithin(to.address, '64:ff9b::', 96)
}

/** What is not reachable from everywhere (IANA's special-purpose registries); behind a translation mostly. */
const LOCAL_FOUR = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const
/** Of 2000::/3, which is all that has been given out; 2001::/23 holds Teredo, whose addresses hold a translated IPv4 one. */
const LOCAL_SIX = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const

/** Whether everybody who is reached from this address can reach it. */
export function isGlobal(address: IpAddress): boolean {
  if (familyOf(address) === 4) return !LOCAL_FOUR.some(([network, bits]) => isWithin(address, network, 96 + bits))
  return isWithin(address, '2000::', 3) && !LOCAL_SIX.some(([network, bits]) => isWithin(address, network, bits))
}

/** Whether the first `bits` of both, as 16 bytes, are the same. */
function isWithin(address: string, network: IpAddress, bits: number): boolean {
  return beginAlike(addressToBytes16(address.replace(/%.*/, '')), addressToBytes16(network), bits)
}
