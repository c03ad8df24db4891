/**
 * The three free texts of a packet of fwknop's and what they may hold: what is to be opened (`10.1.2.3,tcp/22,udp/53`), a command, and
 * where NAT leads. Specification: docs/PROTOCOL.md, "fwknop". Pure; nothing here throws.
 */
import type { FwknopPort } from './fwknop-types.js'

/** The address that stands for the datagram's source. */
export const ANY_ADDRESS = '0.0.0.0'

/** An access message's two halves. The address is as it was written: octets may have leading zeros, which mean two things. */
export interface FwknopAccess {
  readonly address: string
  readonly ports: readonly FwknopPort[]
}

const PORT = /^[0-9]{1,5}$/
const MAX_NAT_HOST = 70

/** `address "," proto "/" port *("," proto "/" port)`, or undefined. */
export function accessOf(message: string): FwknopAccess | undefined {
  const [address, ...specs] = message.split(',')
  if (!isAddress(address!) || specs.length === 0) return undefined
  const ports: FwknopPort[] = []
  for (const spec of specs) {
    const protocol = spec.slice(0, 3)
    const port = portOf(spec.slice(4))
    if ((protocol !== 'tcp' && protocol !== 'udp') || spec[3] !== '/' || port === undefined) return undefined
    ports.push({ protocol, port })
  }
  return { address: address!, ports }
}

/** `address "," text`. */
export function isCommand(message: string): boolean {
  const comma = message.indexOf(',')
  return comma >= 0 && comma < message.length - 1 && isAddress(message.slice(0, comma))
}

/** `host "," port`; the host may be empty. */
export function isNatAccess(text: string): boolean {
  const [host, port, ...more] = text.split(',')
  if (port === undefined || more.length > 0) return false
  return host!.length <= MAX_NAT_HOST && !/[ /?"'\\]/.test(host!) && portOf(port) !== undefined
}

/** 1–48 characters of printable ASCII without what shells and files give a meaning. */
export function isUsername(text: string): boolean {
  return /^[ !#-)\-.0-9@A-Z^-{}~]{1,48}$/.test(text)
}

/** Four parts as inet_aton reads them, so with a leading zero octal ones. */
function isAddress(text: string): boolean {
  if (text.length < 7 || text.length > 15) return false
  const parts = text.split('.')
  return parts.length === 4 && parts.every(isOctet)
}

function isOctet(part: string): boolean {
  if (!/^(0[0-7]*|[1-9][0-9]*)$/.test(part)) return false
  return Number.parseInt(part, part.startsWith('0') ? 8 : 10) <= 255
}

function portOf(text: string): number | undefined {
  const port = PORT.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}
