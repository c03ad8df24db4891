/**
 * Reads a blocking netlink descriptor one datagram after the other, each in a thread of the pool, so that nothing polls and
 * nothing is late. A full receive buffer is an error of one read (facts in docs/ARCHITECTURE.md, "Hearing"): counted, read on.
 */
import { read } from 'node:fs'

const DATAGRAM_BYTES = 128 * 1024
const OVERRUN = 'ENOBUFS'
const AGAIN = new Set(['EINTR', 'EAGAIN'])

export interface ReadLoop {
  /** How often the kernel had to drop what it could not queue. */
  overruns(): number
  stop(): void
}

/** Hands every datagram to `onDatagram` (a view that is valid only during the call). `onBroken`: the descriptor is no more. */
export function readLoop(
  fd: number,
  onDatagram: (bytes: Uint8Array) => void,
  onOverrun: () => void,
  onBroken: (error: Error) => void,
): ReadLoop {
  const buffer = Buffer.allocUnsafeSlow(DATAGRAM_BYTES)
  let overruns = 0
  let stopped = false

  function next(): void {
    read(fd, buffer, 0, DATAGRAM_BYTES, null, (error, length) => {
      if (stopped) return
      if (error === null) {
        if (length > 0) onDatagram(buffer.subarray(0, length))
      } else if (error.code === OVERRUN) {
        overruns++
        onOverrun()
      } else if (!AGAIN.has(error.code ?? '')) {
        stopped = true
        onBroken(error)
        return
      }
      next()
    })
  }
  next()
  return {
    overruns: () => overruns,
    stop: () => {
      stopped = true
    },
  }
}
