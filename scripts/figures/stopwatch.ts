/**
 * Runs at the client with its ear at the server's kernel (events.pl): one clock for both, and nothing between the knock and
 * the lease but what is measured. `each`: a datagram, and the time until the kernel says that there is a lease, one after
 * the other. `flow`: all of them at a steady rate, and when the leases came. `echo`: a datagram, and the time until the
 * program at that port has sent it back.
 *
 *     EVENTS_FD=3 node --import tsx stopwatch.ts each|flow|echo FILE ADDRESS PORT PER-SECOND
 */
import { createSocket, type Socket } from 'node:dgram'
import { readFileSync, readSync } from 'node:fs'
import { readLoop } from '../../lib/daemon/read-loop.js'
import { leasesIn } from './leases-heard.js'
import { decodeRecords } from './records.js'

export interface EachTimed {
  /** ms; those that came to nothing within two seconds are left out. */
  readonly times: readonly number[]
  readonly lost: number
}

export interface FlowTimed {
  readonly sent: number
  /** First to last datagram. */
  readonly sentMs: number
  readonly leases: number
  /** First datagram to last lease. */
  readonly leasedMs: number
  /** Leases in each second, of those that were whole seconds of sending. */
  readonly perSecond: readonly number[]
  /** Told events that were lost for want of room: the count is too low then. */
  readonly overruns: number
}

const LOST_MS = 2_000
const QUIET_MS = 1_500
const EVENTS_BYTES = 128 * 1024
const events = Buffer.alloc(EVENTS_BYTES)

const [, , mode, file, address, port, rate] = process.argv
const { EVENTS_FD } = process.env
const datagrams = decodeRecords(readFileSync(file!))
const pauseMs = 1000 / Number(rate)
// Connected, so that a datagram is sent before send() returns.
const socket = createSocket('udp4')
await new Promise<void>((resolve) => socket.connect(Number(port), address!, resolve))
socket.on('error', () => {}) // an ICMP message of a closed port
const modes: Readonly<Record<string, (socket: Socket) => Promise<EachTimed | FlowTimed>>> = {
  each: (socket) => inTurns((datagram) => untilLease(socket, datagram)),
  echo: (socket) => inTurns((datagram) => untilAnswer(socket, datagram)),
  flow: timeFlow,
}
console.log(JSON.stringify(await modes[mode!]!(socket)))
process.exit()

/** One after the other at a steady rate; `time` gives the ms that one took, undefined where it came to nothing. */
async function inTurns(time: (datagram: Buffer) => Promise<number | undefined>): Promise<EachTimed> {
  const times: number[] = []
  const began = performance.now()
  for (const [index, datagram] of datagrams.entries()) {
    await new Promise((resolve) => setTimeout(resolve, began + index * pauseMs - performance.now()))
    const ms = await time(datagram)
    if (ms !== undefined) times.push(ms)
  }
  return { times, lost: datagrams.length - times.length }
}

async function untilLease(socket: Socket, datagram: Buffer): Promise<number | undefined> {
  const sent = performance.now()
  socket.send(datagram)
  for (;;) {
    const leases = leasesIn(events.subarray(0, readOnce(events)))
    const ms = performance.now() - sent
    if (leases > 0) return ms
    if (ms > LOST_MS) return undefined
  }
}

async function untilAnswer(socket: Socket, datagram: Buffer): Promise<number | undefined> {
  const sent = performance.now()
  const answered = new Promise<number>((resolve) => socket.once('message', () => resolve(performance.now() - sent)))
  socket.send(datagram)
  const lost = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), LOST_MS).unref())
  return Promise.race([answered, lost])
}

/** Bytes of events, 0 where none came for a while. */
function readOnce(into: Buffer): number {
  try {
    return readSync(Number(EVENTS_FD), into)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EAGAIN' || code === 'EINTR') return 0
    throw error
  }
}

async function timeFlow(socket: Socket): Promise<FlowTimed> {
  const leasedAt: { ms: number; leases: number }[] = []
  const began = performance.now()
  const ear = readLoop(
    Number(EVENTS_FD),
    (bytes) => {
      const leases = leasesIn(bytes)
      if (leases > 0) leasedAt.push({ ms: performance.now() - began, leases })
    },
    () => {},
    (error) => {
      throw error
    },
  )
  for (let sent = 0; sent < datagrams.length; ) {
    const due = Math.min(datagrams.length, Math.ceil((performance.now() - began) / pauseMs), sent + 100)
    for (; sent < due; sent++) socket.send(datagrams[sent]!)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const sentMs = performance.now() - began
  const quietSince = () => Math.max(sentMs, leasedAt.at(-1)?.ms ?? 0)
  while (performance.now() - began < quietSince() + QUIET_MS) await new Promise((resolve) => setTimeout(resolve, 100))
  const perSecond: number[] = []
  for (let second = 0; (second + 1) * 1000 <= sentMs + 50; second++) {
    const within = leasedAt.filter(({ ms }) => Math.floor(ms / 1000) === second)
    perSecond.push(within.reduce((sum, { leases }) => sum + leases, 0))
  }
  return {
    sent: datagrams.length,
    sentMs,
    leases: leasedAt.reduce((sum, { leases }) => sum + leases, 0),
    leasedMs: leasedAt.at(-1)?.ms ?? 0,
    perSecond,
    overruns: ear.overruns(),
  }
}
