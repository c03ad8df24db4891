import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { type AutoErrand, performAuto } from '../../lib/client/auto.js'
import { clientSystem as system } from '../../lib/client/client-system.js'
import { isLetmein } from '../../lib/wire/letmein.js'
import { FakeServer, KEY, messageOf, RESOURCE, USER } from './letmein-server.js'

const HOST = '127.0.0.1'
const UNSEEN = 0x53

/** A host with a control port for both protocols, and a TCP port that is shut until `open` is called. */
class Host {
  readonly heard: ('spa' | 'letmein')[] = []
  readonly controlPort: number
  readonly port: number
  letmein: FakeServer
  isOpen = false
  readonly #socket
  readonly #server: Server
  readonly #heardSpa: (host: Host) => void

  private constructor(
    socket: ReturnType<typeof createSocket>,
    server: Server,
    port: number,
    letmein: FakeServer,
    heardSpa: (host: Host) => void,
  ) {
    this.#socket = socket
    this.#server = server
    this.#heardSpa = heardSpa
    this.controlPort = socket.address().port
    this.port = port
    this.letmein = letmein
    socket.on('message', (bytes, from) => {
      const kind = isLetmein(bytes) ? 'letmein' : 'spa'
      this.heard.push(kind)
      if (kind === 'spa') this.#heardSpa(this)
      else this.letmein.take(bytes, from.port, (answer) => socket.send(answer, from.port, from.address))
    })
  }

  static async start({
    heardSpa = () => {},
    comein = (host) => host.open(),
    isLetmein = true,
  }: {
    heardSpa?: (host: Host) => void
    comein?: (host: Host) => void
    isLetmein?: boolean
  } = {}): Promise<Host> {
    const socket = createSocket('udp4').bind(0, HOST)
    await once(socket, 'listening')
    const server = createServer((connection) => connection.on('error', () => {}).resume()).listen(0, HOST)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const letmein = FakeServer.of(
      {
        answers: ({ operation }) => {
          if (!isLetmein) return []
          if (operation === 'RESPONSE') comein(host)
          return [messageOf(operation === 'RESPONSE' ? 'COMEIN' : 'CHALLENGE')]
        },
      },
      0,
      () => {},
    )
    const host = new Host(socket, server, port, letmein, heardSpa)
    return host
  }

  open(): void {
    if (!this.isOpen) this.#server.listen(this.port, HOST)
    this.isOpen = true
  }

  close(): void {
    this.#socket.close()
    this.#server.close()
  }
}

function errandTo({ controlPort, port }: Host, more: Partial<AutoErrand> = {}): AutoErrand {
  const common = { host: HOST, families: [4, 6] as const, controlPort }
  const wishes = [{ operation: 'open', resource: RESOURCE, lifetimeSeconds: 0, instant: 'no' } as const]
  return {
    spa: { ...common, identity: { user: USER, key: KEY, realm: '' }, wishes, tries: 1 },
    letmein: {
      ...common,
      isEveryFamilyWanted: false,
      operation: 'KNOCK',
      user: USER,
      key: KEY,
      resources: [RESOURCE],
      transport: 'udp',
      timeoutMs: 500,
    },
    probed: [{ resource: RESOURCE, port }],
    ...more,
  }
}

describe('a knock that finds its protocol', () => {
  let host: Host
  afterEach(() => host.close())

  it('asks for no exchange where the port opens for its own datagram', async () => {
    host = await Host.start({ heardSpa: (all) => all.open() })
    const { opened, answers, openedByExchange } = await performAuto(errandTo(host), system)
    expect([...opened.keys()]).to.deep.equal([host.port])
    expect(answers.size + openedByExchange.size).to.equal(0)
    expect(host.heard).to.not.include('letmein')
  })

  it('sends its own datagram twice before it asks', async () => {
    let count = 0
    host = await Host.start({ heardSpa: (all) => ++count === 2 && all.open() })
    expect((await performAuto(errandTo(host), system)).opened.size).to.equal(1)
    expect(host.heard).to.deep.equal(['spa', 'spa'])
  })

  it('gets in by the exchange where its own datagram opens nothing, and knows it', async () => {
    host = await Host.start()
    const { opened, answers, openedByExchange } = await performAuto(errandTo(host), system)
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'comein' })
    expect([...opened.keys()]).to.deep.equal([host.port])
    expect([...openedByExchange]).to.deep.equal([RESOURCE])
    expect(host.heard).to.deep.equal(['spa', 'spa', 'letmein', 'letmein'])
  })

  it('claims nothing about its own datagram where nobody serves the port', async () => {
    host = await Host.start({ comein: () => {} })
    const { opened, answers, openedByExchange } = await performAuto(errandTo(host), system)
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'comein' })
    expect(opened.size + openedByExchange.size).to.equal(0)
  })

  it('claims nothing where the port opens late, and does not wait for a server that does not speak letmein', async () => {
    host = await Host.start({ heardSpa: (all) => setTimeout(() => all.open(), 1200), isLetmein: false })
    const errand = errandTo(host)
    const letmein = { ...errand.letmein, timeoutMs: 60_000 }
    const { opened, answers, openedByExchange } = await performAuto({ ...errand, letmein }, system)
    expect([...opened.keys()]).to.deep.equal([host.port])
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'left' })
    expect(openedByExchange.size).to.equal(0)
  })

  it('sends both at once where nothing can be seen', async () => {
    host = await Host.start()
    const errand = errandTo(host, { probed: [] })
    const unseen = { ...errand, letmein: { ...errand.letmein, resources: [UNSEEN] } }
    const { opened, answers, openedByExchange } = await performAuto(unseen, system)
    expect(answers.get(UNSEEN)![0]).to.include({ end: 'comein' })
    expect(opened.size + openedByExchange.size).to.equal(0)
    expect(host.heard.toSorted()).to.deep.equal(['letmein', 'letmein', 'spa'])
  })

  it('tells when neither is heard', async () => {
    host = await Host.start({ isLetmein: false })
    const { opened, answers } = await performAuto(errandTo(host), system)
    expect(opened.size).to.equal(0)
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'timeout', knocks: 3 })
  })

  it('is over in the time that it is given', async () => {
    host = await Host.start({ isLetmein: false })
    const errand = errandTo(host, { waitMs: 300 })
    const letmein = { ...errand.letmein, timeoutMs: 60_000 }
    const { opened, answers } = await performAuto({ ...errand, letmein }, system)
    expect(opened.size).to.equal(0)
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'left' })
  })

  it('asks for a name once', async () => {
    host = await Host.start()
    const asked: number[] = []
    const outside = {
      ...system,
      lookup: async (_: string, family: number) => {
        asked.push(family)
        return family === 4 ? [HOST] : []
      },
    }
    const errand = errandTo(host)
    const named = { ...errand, spa: { ...errand.spa, host: 'gate' }, letmein: { ...errand.letmein, host: 'gate' } }
    expect((await performAuto(named, outside)).openedByExchange.size).to.equal(1)
    expect(asked).to.deep.equal([4, 6])
  })
})
