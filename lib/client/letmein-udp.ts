/**
 * letmein's exchange over UDP: a connected socket, so that the kernel drops what others send, and hands on ICMP messages.
 */
import { createSocket } from 'node:dgram'
import { codeOf, type Dial } from './letmein-line.js'

/** Errors of this machine's own; every other one of a socket that is connected is an ICMP message. */
const OWN = ['EPERM', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EINVAL', 'ENOBUFS']

export const dialUdp: Dial = ({ address, family }, port, { up, heard, broken }) => {
  let isOpen = true
  let isUp = false
  // Addresses are literal by now: this look-up keeps Node from loading its resolver (2 ms).
  const socket = createSocket({ type: `udp${family}`, lookup: (host, _, callback) => callback(null, host, family) })
  const fail = (error: Error) => {
    const code = codeOf(error)
    const isFinal = !isUp || OWN.includes(code)
    if (isOpen) broken(isFinal ? 'unreachable' : 'refused', code, isFinal)
    return isFinal
  }
  const send = (bytes: Uint8Array, isLast: boolean) =>
    socket.send(bytes, (error) => {
      // Where an ICMP message for an earlier datagram waited, the kernel has reported it instead of sending.
      if (error && isOpen && !fail(error) && isOpen && !isLast) send(bytes, true)
    })
  let last: Buffer | undefined
  socket.on('message', (bytes) => {
    // The same datagram once more is the network's doing.
    if (isOpen && !last?.equals(bytes)) heard(bytes)
    last = bytes
  })
  socket.on('error', fail)
  socket.connect(port, address, (error?: Error) => {
    if (error) return void fail(error)
    isUp = true
    if (isOpen) up()
  })
  return {
    send: (bytes) => send(bytes, false),
    close: () => {
      if (isOpen) socket.close()
      isOpen = false
    },
  }
}
