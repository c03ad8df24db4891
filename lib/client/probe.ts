/**
 * Is the TCP port open yet? Connects to every address again and again, at growing intervals, until one connection stands.
 * A guard may swallow SYNs, so an attempt is not waited for before the next: on a slow line the older one may still win.
 */
import type { Socket } from 'node:net'
import type { Destination } from './resolve.js'

const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 500
/** An attempt older than this is given up: it bounds how many there are at once. */
const ATTEMPT_MS = 5000

/** How a port is probed; `probe` in programs. */
export type Probe = (
  destinations: readonly Destination[],
  port: number,
  signal: AbortSignal,
) => Promise<Destination | undefined>

/**
 * The first address whose port takes a connection, which is closed again at once; undefined where the signal ends it
 * before. Never rejects.
 */
export const probe: Probe = async (destinations, port, signal) => {
  const { connect } = await import('node:net')
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  return new Promise((resolve) => {
    const finish = (opened?: Destination) => {
      signal.removeEventListener('abort', end)
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      resolve(opened)
    }
    const end = () => finish()
    const attempt = (to: Destination, pauseMs: number) => {
      const socket = connect({ host: to.address, port, family: to.family })
      sockets.add(socket)
      socket.setTimeout(ATTEMPT_MS, () => socket.destroy())
      socket.on('connect', () => finish(to))
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      const timer = setTimeout(() => {
        timers.delete(timer)
        attempt(to, Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
      }, pauseMs)
      timers.add(timer)
    }
    if (signal.aborted) return resolve(undefined)
    signal.addEventListener('abort', end)
    for (const to of destinations) attempt(to, FIRST_PAUSE_MS)
  })
}
