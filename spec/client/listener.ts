/** A UDP socket that remembers what it heard, and a wait for it. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Family } from '../../lib/wire/address.js'

export class Listener {
  readonly heard: Buffer[] = []
  /** The ports that they came from. */
  readonly sources: number[] = []
  readonly port: number
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    this.port = socket.address().port
    socket.on('message', (bytes, { port }) => {
      this.heard.push(bytes)
      this.sources.push(port)
    })
  }

  static async on(family: Family, port = 0): Promise<Listener> {
    const socket = createSocket(`udp${family}`)
    socket.bind(port, family === 4 ? '127.0.0.1' : '::1')
    await once(socket, 'listening')
    return new Listener(socket)
  }

  /** Settles when this many datagrams have been heard; the spec's own timeout is its end. */
  async hasHeard(count: number): Promise<void> {
    while (this.heard.length < count) await once(this.#socket, 'message')
  }

  close(): void {
    this.#socket.close()
  }
}
