/**
 * What stands in send.ts's place in the client without Node (scripts/client-binary.ts): the same, by Bun's own sockets, for
 * loading node:dgram is a fifth of a knock there. What they cannot is left to send.ts.
 */
import { canonicalAddress, type Family } from '../wire/address.js'
import type { Outgoing, Sender, Sending } from './send.js'
import { send as sendByNode } from './send.js'

export type { Outgoing, Sender, Sending }

/** What this takes of Bun's. */
declare const Bun: { readonly udpSocket: (options: object) => Promise<UdpSocket> }
interface UdpSocket {
  /** False: there was no room for it, and it is not sent. Throws what the kernel says. */
  send(bytes: Uint8Array, port: number, address: string): boolean
  close(): void
}

const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' }

/** As `send` of send.ts. */
export const send: Sender = async (outgoing) => {
  if (!outgoing.every(isPlain)) return sendByNode(outgoing)
  const fates = new Map<Outgoing, Sending>()
  const noRoom: Outgoing[] = []
  for (const family of [4, 6] as const) {
    const ours = outgoing.filter(({ to }) => to.family === family)
    if (ours.length === 0) continue
    for (const one of ours) fates.set(one, { outgoing: one })
    try {
      const socket = await openSocket(family)
      for (const one of ours) {
        try {
          if (!deliver(socket, one, ours.length)) noRoom.push(one)
        } catch (error) {
          fates.set(one, { outgoing: one, error: error as NodeJS.ErrnoException })
        }
      }
      socket.close()
    } catch (error) {
      // The family as a whole is missing (EAFNOSUPPORT, EADDRNOTAVAIL).
      for (const one of ours) fates.set(one, { outgoing: one, error: error as NodeJS.ErrnoException })
    }
  }
  if (noRoom.length > 0) for (const fate of await sendByNode(noRoom)) fates.set(fate.outgoing, fate)
  return outgoing.map((one) => fates.get(one)!)
}

/** A zone is looked up by node:dgram, a port of one's own is shared between the families by it. */
function isPlain({ from, to }: Outgoing): boolean {
  return from === undefined && canonicalAddress(to.address) !== undefined
}

/** What is received, ICMP messages too, is of no interest here. */
function openSocket(family: Family): Promise<UdpSocket> {
  return Bun.udpSocket({ hostname: ANY[family], socket: { data: () => {}, error: () => {} } })
}

/** Bun asks the kernel for ICMP messages: a send then meets that of an earlier datagram instead of going out. */
function deliver(socket: UdpSocket, { bytes, port, to }: Outgoing, tries: number): boolean {
  for (let left = tries; ; left--) {
    try {
      return socket.send(bytes, port, to.address)
    } catch (error) {
      if (left <= 1) throw error
    }
  }
}
