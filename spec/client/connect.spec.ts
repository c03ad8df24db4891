import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { connect, dialPort, type SocketChoices } from '../../lib/client/connect.js'
import { type Errand, type Outcome, type Outside, perform, system } from '../../lib/client/perform.js'
import type { Timers } from '../../lib/client/race.js'
import type { Outgoing } from '../../lib/client/send.js'

const identity = { user: 1, key: new Uint8Array(32).fill(3), realm: 'gate' }
const wishes = [{ operation: 'open', resource: 0x22, lifetimeSeconds: 0, instant: 'no' } as const]

type Choices = SocketChoices & { readonly timers?: Timers }

/** A TCP port of this machine that is shut until `open` is called, and says hello. */
class Host {
  readonly server: Server
  readonly port: number
  connections = 0

  private constructor(port: number) {
    this.port = port
    this.server = createServer((socket) => {
      this.connections++
      socket.on('error', () => {}).end('hello')
    })
  }

  static async shut(): Promise<Host> {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    taken.close()
    await once(taken, 'close')
    return new Host(port)
  }

  open(host = '127.0.0.1'): void {
    if (!this.server.listening) this.server.listen(this.port, host)
  }
}

describe('connecting with a knock', () => {
  let host: Host
  let sent: Outgoing[]
  beforeEach(async () => {
    host = await Host.shut()
    sent = []
  })
  afterEach(() => host.server.close())

  const errand = (timeoutMs: number): Errand => ({
    host: 'gate.example.org',
    families: [4, 6],
    identity,
    wishes,
    controlPort: 5800,
    tries: 3,
    wait: { ports: [host.port], timeoutMs },
  })
  const outsideOf = (changes: Partial<Outside> = {}): Outside => ({
    ...system,
    lookup: async (_, family) => {
      if (family === 6) throw Object.assign(new Error(), { code: 'ENOTFOUND' })
      return ['127.0.0.1']
    },
    send: async (outgoing) => {
      sent.push(...outgoing)
      return outgoing.map((one) => ({ outgoing: one }))
    },
    ...changes,
  })
  const go = async (outside: Outside, timeoutMs = 10_000, { timers, ...choices }: Choices = {}) =>
    connect<Outcome, Outside>(
      { dial: await dialPort(host.port, choices), ...(timers && { timers }) },
      (raced) => perform(errand(timeoutMs), raced),
      outside,
    )
  const connected = (found: Awaited<ReturnType<typeof go>>): Socket => {
    if (found.kind !== 'connected') throw new Error('not connected')
    return found.socket
  }
  const textOf = async (socket: Socket) => {
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }

  it('takes a port that is open already, by one connection, and has knocked all the same', async () => {
    host.open()
    // No clock moves: neither a second SYN nor a second knock is ever due.
    const never: Timers = { nowMs: () => 0, after: () => () => {} }
    const socket = connected(await go(outsideOf({ pause: () => new Promise(() => {}) }), 10_000, { timers: never }))
    expect(await textOf(socket)).to.equal('hello')
    expect(sent).to.have.length(1)
    expect(host.connections).to.equal(1)
  })

  it('knocks first, and is connected as soon as the knock has opened the port', async () => {
    const outside = outsideOf()
    const opening: Outside = {
      ...outside,
      send: async (outgoing) => {
        setTimeout(() => host.open(), 60)
        return outside.send(outgoing)
      },
    }
    const found = await go(opening)
    expect(found).to.deep.include({ kind: 'connected', to: { address: '127.0.0.1', family: 4 } })
    expect(await textOf(connected(found))).to.equal('hello')
  })

  it('knocks again where the first knock was lost, and tries right behind it', async () => {
    const outside = outsideOf()
    let knocks = 0
    const lossy: Outside = {
      ...outside,
      pause: (ms) => outside.pause(ms / 10),
      send: async (outgoing) => {
        if (++knocks === 2) host.open()
        return outside.send(outgoing)
      },
    }
    connected(await go(lossy)).destroy()
    expect(knocks).to.equal(2)
  })

  it('tells what was tried where the port stays shut', async () => {
    const found = await go(outsideOf(), 40)
    expect(found).to.deep.include({
      kind: 'shut',
      tried: [{ to: { address: '127.0.0.1', family: 4 }, code: 'ECONNREFUSED' }],
    })
  })

  it('rejects as the knock does where there is no address', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))
    const error = await go(outsideOf({ lookup })).then(
      () => expect.fail('did not reject'),
      (reason) => reason,
    )
    expect(error).to.include({ name: 'KnockError', code: 'resolve' })
  })

  it('goes to the family that is served', async () => {
    host.open('::1')
    const lookup: Outside['lookup'] = async (_, family) => [family === 4 ? '127.0.0.1' : '::1']
    const found = await go(outsideOf({ lookup }))
    expect(found).to.deep.include({ to: { address: '::1', family: 6 } })
    connected(found).destroy()
  })

  it('leaves what the server says first unread, where the connection is for somebody else', async () => {
    host.open()
    const socket = connected(await go(outsideOf(), 10_000, { isPaused: true }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(socket.bytesRead).to.equal(0)
    socket.resume()
    expect(await textOf(socket)).to.equal('hello')
  })
})
