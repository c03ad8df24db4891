/** letmein's exchange over TCP: a stream of 56-byte messages, in whatever pieces it comes. */
import type { Socket } from 'node:net'
import { MessageStream } from '../wire/letmein-stream.js'
import { codeOf, type Dial } from './letmein-line.js'

export const dialTcp: Dial = ({ address, family }, port, { up, heard, broken }) => {
  let isOpen = true
  let socket: Socket | undefined
  const stream = new MessageStream()
  const begin = async () => {
    // Loaded only here: over UDP a start is 2 ms shorter without it.
    const { connect } = await import('node:net')
    if (!isOpen) return
    let isUp = false
    const fail = (error: Error) => {
      if (!isOpen) return
      const fault = isUp ? 'closed' : codeOf(error) === 'ECONNREFUSED' ? 'refused' : 'unreachable'
      broken(fault, codeOf(error), true)
    }
    socket = connect({ host: address, port, family, noDelay: true })
    socket.on('connect', () => {
      isUp = true
      if (isOpen) up()
    })
    socket.on('data', (piece) => {
      for (const bytes of stream.take(piece)) if (isOpen) heard(bytes)
    })
    socket.on('error', fail)
    socket.on('close', () => isOpen && broken('closed', 'hung up', true))
  }
  void begin()
  return {
    send: (bytes) => socket?.write(bytes),
    close: () => {
      isOpen = false
      socket?.destroy()
    },
  }
}
