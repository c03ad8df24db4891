/**
 * letmein over TCP: connections bounded in number, time and bytes. Strangers are cut without an answer. Connections of one
 * address cost that address its own, never another's: eight places for each (IPv6: each /64), 64 for all. The oldest that has
 * not shown a key makes room, so that who only connects pushes out nobody who knocks.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { LetmeinVerdict } from '../gate/letmein.js'
import type { LetmeinConnection } from '../gate/letmein-connection.js'
import type { Answer, Path } from '../gate/verdict.js'
import { addressToBytes16, canonicalAddress } from '../wire/address.js'
import { unitForbids } from './unit-forbids.js'

const MOST = 64
const MOST_EACH = 8
/** A port that another program has is tried again. */
const AGAIN_MS = 1000

export interface TcpParts {
  /** A connection's own gate. */
  begin(path: Path): LetmeinConnection
  /** What the gate said; true: an answer will come by `answer`. */
  judged(verdict: LetmeinVerdict, path: Path): boolean
  now(): { wallMs: number; monoMs: number }
  onError(why: string): void
}

interface Place {
  readonly name: string
  readonly socket: Socket
  readonly origin: string
  /** Its KNOCK was right, and it is expected to go on. */
  hasShownKey: boolean
}

export class LetmeinTcp {
  readonly #parts: TcpParts
  readonly #servers = new Map<number, Server>()
  /** Oldest first. */
  readonly #places = new Map<string, Place>()
  #controlTimeoutMs = 5000

  constructor(parts: TcpParts) {
    this.#parts = parts
  }

  /** Listens at these ports and no others. */
  listen(ports: readonly number[], controlTimeoutMs: number): void {
    this.#controlTimeoutMs = controlTimeoutMs
    for (const [port, server] of this.#servers) {
      if (ports.includes(port)) continue
      this.#servers.delete(port)
      server.close()
    }
    for (const port of ports) if (!this.#servers.has(port)) this.#serve(port)
  }

  /** Ends an exchange with its last message, where its connection is still there. */
  answer({ path }: Answer, bytes: Uint8Array): void {
    this.#places.get(nameOf(path))?.socket.end(bytes)
  }

  #serve(port: number): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    this.#servers.set(port, server)
    let host = '::'
    let isSaid = false
    const listen = () => {
      if (this.#servers.get(port) === server) server.listen(port, host)
    }
    server.on('error', (error: NodeJS.ErrnoException) => {
      const why = `${error.message}${unitForbids(error)}`
      if (!isSaid) this.#parts.onError(`letmein: TCP port ${port}: ${why}; tried again each second`)
      isSaid = true
      // A kernel without IPv6 has no `::`.
      if (error.code === 'EAFNOSUPPORT') host = '0.0.0.0'
      setTimeout(listen, AGAIN_MS)
    })
    server.on('listening', () => {
      isSaid = false
    })
    listen()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const path = pathOf(socket)
    if (path === undefined) {
      socket.destroy()
      return
    }
    const place = { name: nameOf(path), socket, origin: originOf(path.source), hasShownKey: false }
    this.#makeRoom(place.origin)
    this.#places.set(place.name, place)
    const connection = this.#parts.begin(path)
    // Two messages, each within the time that letmein gives one.
    const timer = setTimeout(() => socket.destroy(), 2 * this.#controlTimeoutMs)
    socket.on('close', () => {
      clearTimeout(timer)
      this.#leave(place)
    })
    socket.on('data', (piece) => this.#heard(connection, piece, path, place))
    socket.on('end', () => {
      if (!connection.isOver) socket.destroy()
    })
  }

  #heard(connection: LetmeinConnection, piece: Uint8Array, path: Path, place: Place): void {
    const { socket } = place
    for (const verdict of connection.heard(piece, this.#parts.now())) {
      const isAwaited = this.#parts.judged(verdict, path)
      if (verdict.kind === 'reply') {
        place.hasShownKey = !verdict.isLast
        if (verdict.isLast) socket.end(verdict.bytes)
        else socket.write(verdict.bytes)
      } else if (!isAwaited) socket.destroy()
    }
  }

  #makeRoom(origin: string): void {
    const all = [...this.#places.values()]
    const own = all.filter((place) => place.origin === origin)
    const crowded = own.length >= MOST_EACH ? own : all.length >= MOST ? all : []
    const goer = crowded.find(({ hasShownKey }) => !hasShownKey) ?? crowded[0]
    if (goer === undefined) return
    goer.socket.destroy()
    this.#leave(goer)
  }

  #leave(place: Place): void {
    if (this.#places.get(place.name) === place) this.#places.delete(place.name)
  }
}

function pathOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): Path | undefined {
  const source = canonicalAddress((remoteAddress ?? '').replace(/%.*/, ''))
  const destination = canonicalAddress((localAddress ?? '').replace(/%.*/, ''))
  if (source === undefined || destination === undefined || remotePort === undefined || localPort === undefined)
    return undefined
  return { source, sourcePort: remotePort, destination, destinationPort: localPort, transport: 'tcp' }
}

function nameOf(path: Path): string {
  return `${path.source} ${path.sourcePort} ${path.destination} ${path.destinationPort}`
}

/** IPv4: the address; IPv6: its /64. */
function originOf(address: string): string {
  const bytes = addressToBytes16(address)
  return Buffer.from(address.includes(':') ? bytes.subarray(0, 8) : bytes).toString('hex')
}
