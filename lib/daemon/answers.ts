/**
 * UDP answers of the letmein exchange. Each leaves through a socket that is bound to the knocked address and connected to that
 * one peer, for as long as the exchange lasts: to everybody else the port is as shut as before. What such a socket hears is
 * heard by NFLOG too, and ignored here. Their number is bounded; the oldest makes room, which costs its exchange nothing.
 */
import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import type { Path } from '../gate/verdict.js'
import { familyOf } from '../wire/address.js'
import { unitForbids } from './unit-forbids.js'

const MOST = 64

export interface Answers {
  /** Sends it back the way the datagram came. `isLast`: nothing follows on this path. Never throws. */
  send(path: Path, bytes: Uint8Array, isLast: boolean): void
}

/** The name of the interface without which a link-local address says nothing; undefined where the path has none. */
export function zoneOf({ source, destination, inputInterface }: Path): string | undefined {
  if (!isLinkLocal(source) && !isLinkLocal(destination)) return undefined
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some((one) => one.family === 'IPv6' && one.scopeid === inputInterface && isLinkLocal(one.address)))
      return name
  return undefined
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address)
}

interface Line {
  readonly socket: Socket
  readonly ready: Promise<void>
  readonly timer: NodeJS.Timeout
  isClosed: boolean
}

/** `lastsMs`: how long an exchange may take; `zoneOf`: a path's interface by name; `onError` gets what failed. */
export function createAnswers(
  lastsMs: number,
  zoneOf: (path: Path) => string | undefined,
  onError: (why: string) => void,
): Answers {
  const lines = new Map<string, Line>()

  function take(name: string): Line | undefined {
    const line = lines.get(name)
    if (line === undefined) return undefined
    lines.delete(name)
    clearTimeout(line.timer)
    return line
  }

  function open(name: string, path: Path): Line {
    const oldest = lines.size >= MOST ? lines.keys().next().value : undefined
    if (oldest !== undefined) close(take(oldest))
    const socket = socketFor(path)
    const ready = connect(socket, path, zoneOf(path))
    const timer = setTimeout(() => close(take(name)), lastsMs)
    const line = { socket, ready, timer, isClosed: false }
    lines.set(name, line)
    return line
  }

  return {
    send(path, bytes, isLast) {
      const name = `${path.source} ${path.sourcePort} ${path.destination} ${path.destinationPort}`
      const line = lines.get(name) ?? open(name, path)
      if (isLast) take(name)
      line.ready
        .then(() => sendThrough(line, bytes))
        .catch((error: NodeJS.ErrnoException) => {
          if (lines.get(name) === line) take(name)
          close(line)
          // That nobody is there any more is the peer's affair.
          if (error.code !== 'ECONNREFUSED')
            onError(
              `letmein: no answer from ${path.destination} port ${path.destinationPort}: ${error.message}${unitForbids(error)}`,
            )
        })
        .finally(() => isLast && close(line))
    },
  }
}

function socketFor({ source }: Path): Socket {
  const isSix = familyOf(source) === 6
  // Addresses are literal: nothing is looked up, not even in a thread, so bind and connect are one step for all others.
  const lookup = (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, isSix ? 6 : 4)
  const socket = createSocket({
    type: isSix ? 'udp6' : 'udp4',
    reuseAddr: true,
    ...(isSix && { ipv6Only: true }),
    lookup: lookup as never,
  })
  // ICMP errors come here unasked.
  socket.on('error', () => {})
  return socket
}

/** Rejects where the knocked port is another program's, or the peer cannot be reached. */
function connect(socket: Socket, path: Path, zone: string | undefined): Promise<void> {
  const scoped = (address: string) => (zone !== undefined && isLinkLocal(address) ? `${address}%${zone}` : address)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(path.destinationPort, scoped(path.destination), () =>
      socket.connect(path.sourcePort, scoped(path.source), ((error?: Error) => {
        socket.off('error', reject)
        if (error instanceof Error) reject(error)
        else resolve()
      }) as () => void),
    )
  })
}

function sendThrough(line: Line, bytes: Uint8Array): Promise<void> {
  if (line.isClosed) return Promise.resolve()
  return new Promise((resolve, reject) => {
    line.socket.send(bytes, (error) => (error === null ? resolve() : reject(error)))
  })
}

function close(line: Line | undefined): void {
  if (line === undefined || line.isClosed) return
  line.isClosed = true
  line.socket.close()
}
