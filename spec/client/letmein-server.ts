/** A letmein server in this process, which can be told to lose messages and to answer anything. */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Transport } from '../../lib/client/letmein-line.js'
import type { Family } from '../../lib/wire/address.js'
import {
  authOf,
  decode,
  encode,
  isSameAuth,
  type Message,
  type MessageOperation,
  ZERO_AUTH,
} from '../../lib/wire/letmein.js'
import { MessageStream } from '../../lib/wire/letmein-stream.js'

export const KEY = new Uint8Array(32).fill(7)
export const USER = 0xa11c
export const RESOURCE = 0x22

/** One message that arrived, and from where. */
export interface Arrival {
  readonly operation: MessageOperation | 'other'
  readonly bytes: Uint8Array
  readonly sourcePort: number
}

export interface Behaviour {
  /** Whether the n-th message (from 1) of an operation is lost, in either direction. */
  readonly loses?: (operation: MessageOperation, nth: number) => boolean
  /** In place of the right answers: what each message of an exchange gets, in its order. */
  readonly answers?: (arrival: Arrival, nth: number) => readonly Uint8Array[]
  /** How long it takes over each message. */
  readonly delayMs?: (arrival: Arrival) => number
  /** TCP: in pieces of this many bytes. */
  readonly pieceBytes?: number
}

type Reply = (bytes: Uint8Array) => void

export class FakeServer {
  readonly arrivals: Arrival[] = []
  readonly port: number
  readonly #counts = new Map<MessageOperation, number>()
  readonly #challenges = new Map<number, Uint8Array>()
  readonly #behaviour: Behaviour
  readonly #shut: () => void
  #isClosed = false

  private constructor(behaviour: Behaviour, port: number, shut: () => void) {
    this.#behaviour = behaviour
    this.port = port
    this.#shut = shut
  }

  static async start(transport: Transport, family: Family, behaviour: Behaviour = {}, port = 0): Promise<FakeServer> {
    const host = family === 4 ? '127.0.0.1' : '::1'
    return transport === 'udp' ? overUdp(family, host, port, behaviour) : overTcp(host, port, behaviour)
  }

  static of(behaviour: Behaviour, port: number, shut: () => void): FakeServer {
    return new FakeServer(behaviour, port, shut)
  }

  get operations(): string[] {
    return this.arrivals.map(({ operation }) => operation)
  }

  take(bytes: Uint8Array, sourcePort: number, reply: Reply): void {
    const message = decode(bytes.subarray(0, 56))
    const operation = 'why' in message ? ('other' as const) : message.operation
    if (operation !== 'other' && this.#isLost(operation)) return
    const arrival = { operation, bytes: Uint8Array.from(bytes), sourcePort }
    this.arrivals.push(arrival)
    const answers = this.#behaviour.answers?.(arrival, this.arrivals.length) ?? this.#rightAnswers(message, sourcePort)
    const sent = answers.filter((answer) => {
      const said = decode(answer.subarray(0, 56))
      return 'why' in said || !this.#isLost(said.operation)
    })
    const delayMs = this.#behaviour.delayMs?.(arrival) ?? 0
    const say = () => this.#isClosed || sent.forEach(reply)
    if (delayMs > 0) setTimeout(say, delayMs)
    else say()
  }

  close(): void {
    this.#isClosed = true
    this.#shut()
  }

  #isLost(operation: MessageOperation): boolean {
    const nth = (this.#counts.get(operation) ?? 0) + 1
    this.#counts.set(operation, nth)
    return this.#behaviour.loses?.(operation, nth) ?? false
  }

  #rightAnswers(message: ReturnType<typeof decode>, sourcePort: number): Uint8Array[] {
    if ('why' in message) return []
    const challenge = this.#challenges.get(sourcePort)
    if (message.operation === 'RESPONSE') {
      const isRight = challenge !== undefined && isSameAuth(message.auth, authOf(KEY, message, challenge))
      return [messageOf(isRight ? 'COMEIN' : 'GOAWAY')]
    }
    if (!isSameAuth(message.auth, authOf(KEY, message, ZERO_AUTH))) return []
    // A second KNOCK from the same port disturbs an exchange.
    if (challenge !== undefined) return [messageOf('GOAWAY')]
    const fresh = Uint8Array.from({ length: 32 }, () => Math.floor(Math.random() * 256))
    this.#challenges.set(sourcePort, fresh)
    return [messageOf('CHALLENGE', { auth: fresh })]
  }
}

/** A message of the server's, about the right user and resource if nothing else is said. */
export function messageOf(operation: MessageOperation, more: Partial<Message> = {}): Uint8Array {
  const common = { user: USER, resource: RESOURCE, salt: new Uint8Array(8), auth: new Uint8Array(32) }
  return encode({ operation, ...common, ...more })
}

async function overUdp(family: Family, host: string, port: number, behaviour: Behaviour): Promise<FakeServer> {
  const socket = createSocket(`udp${family}`).bind(port, host)
  await once(socket, 'listening')
  const server = FakeServer.of(behaviour, socket.address().port, () => socket.close())
  socket.on('message', (bytes, from: RemoteInfo) =>
    server.take(bytes, from.port, (answer) => socket.send(answer, from.port, from.address)),
  )
  return server
}

async function overTcp(host: string, port: number, behaviour: Behaviour): Promise<FakeServer> {
  const listener = createServer({ noDelay: true }).listen(port, host)
  await once(listener, 'listening')
  const { port: bound } = listener.address() as AddressInfo
  const server = FakeServer.of(behaviour, bound, () => listener.close())
  listener.on('connection', (socket) => {
    const stream = new MessageStream()
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      for (const bytes of stream.take(piece))
        server.take(bytes, socket.remotePort!, (answer) => void inPieces(socket, answer, behaviour.pieceBytes))
    })
  })
  return server
}

async function inPieces(socket: Socket, bytes: Uint8Array, size = bytes.length): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += size) {
    socket.write(bytes.subarray(offset, offset + size))
    await new Promise((resolve) => setImmediate(resolve))
  }
}
