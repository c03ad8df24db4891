/**
 * Datagrams out of the door: one socket a family, all at once, waiting for nothing but the kernel's having taken them. Nobody
 * answers an SPA datagram, so ICMP and errors of one address say nothing about the others.
 */
import { createSocket, type SocketOptions } from 'node:dgram'
import type { Family } from '../wire/address.js'
import type { Destination } from './resolve.js'

export interface Outgoing {
  readonly bytes: Uint8Array
  readonly to: Destination
  readonly port: number
  /** The port that it leaves from; the system's choice where none is said. One for all of a call. */
  readonly from?: number
}

/** What became of one datagram: taken by the kernel, or refused with this error (`ENETUNREACH`, …). */
export interface Sending {
  readonly outgoing: Outgoing
  readonly error?: NodeJS.ErrnoException
}

/** How datagrams are sent; `send` in programs. */
export type Sender = (outgoing: readonly Outgoing[]) => Promise<readonly Sending[]>

/** Sends all of them now. Never rejects: each datagram's own fate is in the result, in the same order. */
export const send: Sender = async (outgoing) => {
  const fates = await Promise.all(([4, 6] as const).map((family) => sendFamily(family, outgoing)))
  const byDatagram = new Map(fates.flat().map((fate) => [fate.outgoing, fate]))
  return outgoing.map((one) => byDatagram.get(one)!)
}

function sendFamily(family: Family, all: readonly Outgoing[]): Promise<Sending[]> {
  const outgoing = all.filter(({ to }) => to.family === family)
  if (outgoing.length === 0) return Promise.resolve([])
  const { from } = outgoing[0]!
  return new Promise((resolve) => {
    const fates = new Map<Outgoing, Sending>()
    // Addresses are literal by now: this look-up keeps Node from loading its resolver (2 ms).
    const lookup: SocketOptions['lookup'] = (host, _, callback) => callback(null, host, family)
    // Else an IPv6 socket would take the port of the IPv4 one, too.
    const socket = createSocket({ type: `udp${family}`, lookup, ipv6Only: family === 6 && from !== undefined })
    const settle = (one: Outgoing, error?: NodeJS.ErrnoException | null) => {
      if (fates.has(one)) return
      fates.set(one, error ? { outgoing: one, error } : { outgoing: one })
      if (fates.size < outgoing.length) return
      socket.close()
      resolve([...fates.values()])
    }
    // The family as a whole is missing (EAFNOSUPPORT, EADDRNOTAVAIL at bind), or the port is taken (EADDRINUSE): callbacks of queued sends never come.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What is received, ICMP messages for what went out before too, is of no interest here.
      if (error.syscall !== 'recvmsg') for (const one of outgoing) settle(one, error)
    })
    // Bun asks the kernel for ICMP messages: a send then meets that of an earlier datagram instead of going out. There is one
    // such message at most for each datagram.
    const deliver = (one: Outgoing, triesLeft: number) =>
      socket.send(one.bytes, one.port, one.to.address, (error) => {
        if (error && triesLeft > 1) deliver(one, triesLeft - 1)
        else settle(one, error)
      })
    // Never a port that a cluster's workers share: forgo-cluster.ts, too, wants it so.
    if (from !== undefined) socket.bind({ port: from, exclusive: true })
    for (const one of outgoing) deliver(one, outgoing.length)
  })
}
