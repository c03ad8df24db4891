/**
 * One try at a port with a socket that any user may have. What a socket does not show: TTL, length and sender of an answer, and
 * whether RST or ICMP refused a connection.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Family } from '../wire/address.js'
import type { Look } from './look.js'

export interface Place {
  readonly address: string
  readonly family: Family
  readonly port: number
}

export interface Tried {
  readonly look: Look
  /** Until the answer; none where nothing came. */
  readonly ms?: number
}

/** A process that was held up sees its timers before what has arrived meanwhile: so long it looks once more. */
const LAST_LOOK_MS = 20

/** Calls `silent` after `waitMs`, when all that had come by then was seen. `stop` keeps it from that. */
function silence(silent: () => void, waitMs: number): { stop: () => void } {
  let timer = setTimeout(() => {
    timer = setTimeout(silent, LAST_LOOK_MS)
  }, waitMs)
  return { stop: () => clearTimeout(timer) }
}

/** This machine has no way to that address: nothing went out. */
export class NoWayError extends Error {
  override readonly name = 'NoWayError'
  readonly code = 'no-way'
}

/** Errors that the kernel makes of ICMP messages (icmp_err_convert, icmpv6_err_convert). */
const LOOKS: Readonly<Record<string, Look>> = {
  ECONNREFUSED: 'refused',
  EACCES: 'prohibited',
  ENOPROTOOPT: 'unreachable',
  ENETUNREACH: 'unreachable',
}

/** One datagram from a socket of its own, and what comes back within `waitMs`. Throws NoWayError. */
export function tryDatagram(place: Place, bytes: Uint8Array, waitMs: number): Promise<Tried> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(place.family === 4 ? 'udp4' : 'udp6')
    let sentAt = 0
    const end = (look: Look) => {
      waiting.stop()
      socket.close()
      resolve(look === 'silent' ? { look } : { look, ms: performance.now() - sentAt })
    }
    const fail = (error: NodeJS.ErrnoException) => {
      waiting.stop()
      socket.close()
      reject(noWay(place, error))
    }
    const waiting = silence(() => end('silent'), waitMs)
    socket.on('message', () => end('answered'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.syscall === 'recvmsg' ? end(lookOf(error, place.family)) : fail(error),
    )
    socket.connect(place.port, place.address, (error?: NodeJS.ErrnoException) => {
      if (error) return fail(error)
      sentAt = performance.now()
      socket.send(bytes, (failed) => {
        if (failed) fail(failed)
      })
    })
  })
}

/** One connection attempt, closed again at once. The kernel repeats its SYN after 1 s. Throws NoWayError. */
export function tryConnection(place: Place, waitMs: number): Promise<Tried> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const socket = connect({ host: place.address, port: place.port, family: place.family })
    const end = (look: Look) => {
      waiting.stop()
      socket.destroy()
      resolve(look === 'silent' ? { look } : { look, ms: performance.now() - startedAt })
    }
    const waiting = silence(() => end('silent'), waitMs)
    socket.on('connect', () => end('open'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ETIMEDOUT') return end('silent')
      // No route: the kernel says so before anything goes out.
      if (error.code === 'ENETUNREACH' && performance.now() - startedAt < 1) {
        waiting.stop()
        return reject(noWay(place, error))
      }
      end(lookOf(error, place.family))
    })
  })
}

function lookOf({ code = '' }: NodeJS.ErrnoException, family: Family): Look {
  // IPv4 has one error for a host that is not there and for one that is forbidden.
  if (code === 'EHOSTUNREACH') return family === 4 ? 'prohibited' : 'unreachable'
  return LOOKS[code] ?? 'unreachable'
}

function noWay({ address }: Place, { code, message }: NodeJS.ErrnoException): NoWayError {
  return new NoWayError(`${address}: nothing can be sent there from here (${code ?? message})`)
}
