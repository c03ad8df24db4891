/**
 * Runs inside a namespace and does there what it is asked over its IPC channel, so that a try costs no process start.
 * Ends when the channel does. Bundled on the fly by namespace.ts.
 */

import { randomFillSync } from 'node:crypto'
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { type Socket as Connection, createServer, connect as dial } from 'node:net'

/** `silent`: nothing came back in time, which is what a dropping firewall looks like. */
export type ConnectOutcome = 'open' | 'refused' | 'unreachable' | 'silent'
export interface Target {
  readonly address: string
  readonly port: number
}
export interface Heard {
  readonly address: string
  readonly port: number
  readonly base64: string
}

const connections = new Map<number, Connection>()
const listeners = new Map<number, { socket: Datagrams; heard: Heard[] }>()
let lastId = 0

/** In so many parts a wait is counted: one that the whole machine stood still in counts once, however long that was. */
const PARTS = 10

/**
 * A timer that ends after `ms` in which this process ran, behind what the network has to tell: where the machine stood still or
 * is busy, both may be due when this process has its turn. Gives back what stops it.
 */
function afterwards(act: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout
  const wait = (parts: number) => {
    timer = setTimeout(() => (parts > 1 ? wait(parts - 1) : setImmediate(act)), ms / PARTS)
  }
  wait(PARTS)
  return () => clearTimeout(timer)
}

function tryConnect(target: Target, timeoutMs: number): Promise<{ outcome: ConnectOutcome; socket: Connection }> {
  return new Promise((resolve) => {
    const socket = dial({ host: target.address, port: target.port })
    const end = (outcome: ConnectOutcome) => {
      stop()
      resolve({ outcome, socket })
    }
    const stop = afterwards(() => end('silent'), timeoutMs)
    socket.on('connect', () => end('open'))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable'))
  })
}

function familyOf(address: string): 'udp4' | 'udp6' {
  return address.includes(':') ? 'udp6' : 'udp4'
}

function send(socket: Datagrams, bytes: Uint8Array, target: Target): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(bytes, target.port, target.address, (error) => (error ? reject(error) : resolve())),
  )
}

export const calls = {
  ready: async () => process.pid,

  /** One attempt; the connection is reset at once. */
  connect: async ({ target, timeoutMs }: { target: Target; timeoutMs: number }) => {
    const { outcome, socket } = await tryConnect(target, timeoutMs)
    if (outcome === 'open') socket.resetAndDestroy()
    else socket.destroy()
    return outcome
  },

  /** A connection that stays. Throws where it does not come about. */
  hold: async ({ target, timeoutMs }: { target: Target; timeoutMs: number }) => {
    const { outcome, socket } = await tryConnect(target, timeoutMs)
    if (outcome !== 'open') {
      socket.destroy()
      throw new Error(`${target.address} port ${target.port}: ${outcome}`)
    }
    connections.set(++lastId, socket)
    return lastId
  },

  /** Whether the other end of a held connection still answers. */
  talk: async ({ id, timeoutMs }: { id: number; timeoutMs: number }) => {
    const socket = connections.get(id)!
    if (socket.destroyed) return 'closed' as const
    return new Promise<'answered' | 'closed' | 'silent'>((resolve) => {
      const end = (outcome: 'answered' | 'closed' | 'silent') => {
        stop()
        socket.off('data', answered).off('close', closed)
        resolve(outcome)
      }
      const answered = () => end('answered')
      const closed = () => end('closed')
      const stop = afterwards(() => end('silent'), timeoutMs)
      socket.on('data', answered).on('close', closed)
      socket.write('hello\n')
    })
  },

  /** A TCP server on every address that says back what it hears. */
  echo: ({ port }: { port: number }) =>
    new Promise<void>((resolve, reject) => {
      const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
      server.on('error', reject).listen({ port, host: '::' }, resolve)
    }),

  /** Sends these datagrams from one socket; `sourcePort` 0 is any. Answers and ICMP go unheard here: a capture sees them. */
  send: async ({ target, base64, sourcePort }: { target: Target; base64: string[]; sourcePort: number }) => {
    const socket = createSocket(familyOf(target.address))
    await new Promise<void>((resolve) => socket.bind(sourcePort, resolve))
    for (const text of base64) await send(socket, Buffer.from(text, 'base64'), target)
    socket.close()
  },

  /** Datagrams, and a connect() right behind them: what `knock && ssh` does, with no pause at all. */
  sendAndConnect: async ({ target, base64, port }: { target: Target; base64: string[]; port: number }) => {
    const socket = createSocket(familyOf(target.address))
    await Promise.all(base64.map((text) => send(socket, Buffer.from(text, 'base64'), target)))
    const started = performance.now()
    const { outcome, socket: connection } = await tryConnect({ address: target.address, port }, 5_000)
    const ms = performance.now() - started
    connection.destroy()
    socket.close()
    return { outcome, ms }
  },

  /** Datagrams, and connect() again and again without a pause until one succeeds, for at most a second. */
  sendUntilOpen: async ({ target, base64, port }: { target: Target; base64: string[]; port: number }) => {
    const socket = createSocket(familyOf(target.address))
    await Promise.all(base64.map((text) => send(socket, Buffer.from(text, 'base64'), target)))
    const started = performance.now()
    for (;;) {
      const { outcome, socket: connection } = await tryConnect({ address: target.address, port }, 1_000)
      const ms = performance.now() - started
      connection.destroy()
      if (outcome !== 'open' && ms < 1_000) continue
      socket.close()
      return { outcome, ms }
    }
  },

  /** Exactly `count` datagrams, `prefix` and then random bytes, at most `perSecond` of them in a second. */
  flood: async (of: { target: Target; count: number; bytes: number; perSecond: number; prefixBase64: string }) => {
    const socket = createSocket({ type: familyOf(of.target.address), sendBufferSize: 4 << 20 })
    const prefix = Buffer.from(of.prefixBase64, 'base64')
    const started = performance.now()
    for (let sent = 0; sent < of.count; ) {
      const due = Math.min(of.count, Math.ceil(((performance.now() - started + 1) / 1000) * of.perSecond), sent + 200)
      const burst: Promise<void>[] = []
      for (; sent < due; sent++) {
        const datagram = randomFillSync(Buffer.alloc(of.bytes))
        prefix.copy(datagram)
        burst.push(send(socket, datagram, of.target))
      }
      await Promise.all(burst)
      if (burst.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    socket.close()
    return performance.now() - started
  },

  /** Hears datagrams on a port of every address and keeps them. */
  listen: ({ port }: { port: number }) =>
    new Promise<void>((resolve, reject) => {
      const heard: Heard[] = []
      const socket = createSocket('udp6')
      listeners.set(port, { socket, heard })
      socket.on('message', (bytes, from) =>
        heard.push({
          address: from.address.replace(/^::ffff:/, ''),
          port: from.port,
          base64: bytes.toString('base64'),
        }),
      )
      socket.on('error', reject).bind(port, '::', resolve)
    }),

  heard: async ({ port }: { port: number }) => listeners.get(port)!.heard,
}

export type Calls = typeof calls

process.on('disconnect', () => process.exit())
process.on('message', async ({ id, call, args }: { id: number; call: keyof Calls; args: never }) => {
  try {
    process.send!({ id, value: await calls[call](args) })
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? error.message : String(error) })
  }
})
