/**
 * The TCP connections that this machine has, as Linux lists them (proc_net_tcp in the kernel's documentation): whom with, and
 * at which of their ports. Nothing else than a read of two files, which every user may.
 */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { addressFromBytes, type IpAddress } from '../wire/address.js'

export interface Peer {
  readonly address: IpAddress
  readonly port: number
}

/** Something can still come or go: ESTABLISHED, FIN_WAIT2, CLOSE_WAIT. */
const LIVE = ['01', '05', '08']
const FILES = ['/proc/net/tcp', '/proc/net/tcp6']

/** The peers of this machine's live connections at ports of this kind. Throws where the system has no such list (ENOENT). */
export function livePeers(isMeant: (port: number) => boolean): Peer[] {
  const [four, six] = FILES
  return [...peersIn(readFileSync(four!, 'latin1'), isMeant), ...peersIn(readIfThere(six!), isMeant)]
}

/** The file of a family that the kernel does not have is not there. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** The peers that the text of one of the two files lists. Rows of another form are passed over. */
export function peersIn(text: string, isMeant: (port: number) => boolean, order = endianness()): Peer[] {
  return text.split('\n').flatMap((row) => {
    const match = /^\s*\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(row)
    if (match === null || !LIVE.includes(match[3]!) || !/^(.{8}|.{32})$/.test(match[1]!)) return []
    const port = Number.parseInt(match[2]!, 16)
    return isMeant(port) ? [{ address: addressFromBytes(bytesOf(match[1]!, order)), port }] : []
  })
}

/** Each four bytes of the address are printed as one number of this machine's order. */
function bytesOf(hex: string, order: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex')
  return order === 'LE' ? bytes.swap32() : bytes
}
