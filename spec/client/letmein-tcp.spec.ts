import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect } from 'chai'
import { ask, errandTo, V4 } from './letmein-errand.js'
import { type Behaviour, FakeServer, messageOf } from './letmein-server.js'

describe('letmein’s exchange over TCP', () => {
  let server: FakeServer
  afterEach(() => server.close())
  const start = async (behaviour: Behaviour = {}) => {
    server = await FakeServer.start('tcp', 4, behaviour)
  }
  const tcp = { transport: 'tcp' } as const

  it('is the same messages', async () => {
    await start()
    expect((await ask(errandTo(server, tcp))).first).to.include({ end: 'comein', knocks: 1 })
    expect(server.operations).to.deep.equal(['KNOCK', 'RESPONSE'])
  })

  for (const pieceBytes of [1, 7, 55]) {
    it(`takes them in pieces of ${pieceBytes} bytes`, async () => {
      await start({ pieceBytes })
      expect((await ask(errandTo(server, tcp))).isIn).to.equal(true)
    })
  }

  it('takes a COMEIN with something behind it', async () => {
    const comein = Buffer.concat([messageOf('COMEIN'), new Uint8Array(9)])
    await start({ answers: ({ operation }) => [operation === 'KNOCK' ? messageOf('CHALLENGE') : comein] })
    expect((await ask(errandTo(server, tcp))).isIn).to.equal(true)
  })

  it('sends nothing twice and waits for each message as long as letmein', async () => {
    await start({ answers: () => [] })
    const { first } = await ask(errandTo(server, tcp))
    expect(first).to.include({ end: 'timeout', step: 'KNOCK', knocks: 1 })
    expect(server.operations).to.deep.equal(['KNOCK'])
  })

  it('ends at once with GOAWAY', async () => {
    await start({ answers: () => [messageOf('GOAWAY')] })
    expect((await ask(errandTo(server, { ...tcp, timeoutMs: 60_000 }))).first).to.include({ end: 'goaway' })
  })

  it('ends at once where the port is shut', async () => {
    await start()
    server.close()
    const { first } = await ask(errandTo(server, { ...tcp, timeoutMs: 60_000 }))
    expect(first).to.include({ end: 'refused', step: 'connect', detail: 'ECONNREFUSED' })
    await start()
  })

  it('ends at once where the server hangs up', async () => {
    await start()
    const rude = createServer((socket) => socket.once('data', () => socket.end())).listen(0, V4)
    await once(rude, 'listening')
    const { port } = rude.address() as AddressInfo
    const { first } = await ask(errandTo({ port }, { ...tcp, timeoutMs: 60_000 }))
    expect(first).to.include({ end: 'closed', step: 'KNOCK' })
    rude.close()
  })

  it('ends at once where something else answers', async () => {
    await start({ answers: () => [randomFillSync(new Uint8Array(56))] })
    expect((await ask(errandTo(server, { ...tcp, timeoutMs: 60_000 }))).first).to.include({ end: 'magic' })
  })
})
