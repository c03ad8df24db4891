import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect } from 'chai'
import { type Behaviour, FakeServer, messageOf } from '../client/letmein-server.js'
import { bundle, Home } from './program.js'

/** letmein's own file: nothing in it is postern's. */
const LETMEIN_CONF = `[GENERAL]
port = 5800 / udp
control-timeout = 0.5
[CLIENT]
default-user = A11C
[KEYS]
0000A11C = ${'07'.repeat(32)}
[RESOURCES]
00000022 = port: 22
00000053 = port: 53 / udp
00000055 = port: 55 / connections: 1
`
const BOTH_CONF = `${LETMEIN_CONF}[SPA]\nrealm = gate\n[LETMEIN]\nenabled = yes\n`

describe('the postern program knocks at a letmein server', () => {
  let home: Home
  let server: FakeServer
  before(() => {
    bundle()
    home = new Home(LETMEIN_CONF)
  })
  after(() => home.remove())
  afterEach(() => server.close())
  const start = async (behaviour: Behaviour = {}, transport: 'udp' | 'tcp' = 'udp') => {
    server = await FakeServer.start(transport, 4, behaviour)
  }
  const postern = (line: string) => home.postern([...line.split(' '), '-P', String(server.port)])

  it('with letmein’s own file, by the exchange, and says that it is in (0)', async () => {
    await start()
    expect(await postern('knock 127.0.0.1 22')).to.deep.equal({
      code: 0,
      out: '127.0.0.1 lets this machine in at port 22 (COMEIN from 127.0.0.1)\n',
      err: '',
    })
    expect(server.operations).to.deep.equal(['KNOCK', 'RESPONSE'])
  })

  it('quietly, over TCP, for a resource', async () => {
    await start({}, 'tcp')
    expect(await postern('knock -qT -r 22 127.0.0.1')).to.deep.equal({ code: 0, out: '', err: '' })
  })

  it('over TCP where the file names no protocol of it, or both, as letmein does', async () => {
    await start({}, 'tcp')
    for (const port of ['5800', '5800 / tcp,udp']) {
      const path = home.write('tcp.conf', LETMEIN_CONF.replace('5800 / udp', port))
      expect((await postern(`knock -q -c ${path} 127.0.0.1 22`)).code).to.equal(0)
    }
    const path = home.write('both.conf', LETMEIN_CONF.replace('5800 / udp', '5800 / tcp,udp'))
    expect((await postern(`knock -q -U -c ${path} 127.0.0.1 22`)).code, 'UDP, where nobody listens').to.equal(1)
  })

  it('to shut a port again', async () => {
    await start()
    const { code, out } = await postern('revoke 127.0.0.1 22')
    expect({ code, out }).to.deep.equal({
      code: 0,
      out: '127.0.0.1 has shut port 22 for this machine again (COMEIN from 127.0.0.1)\n',
    })
    expect(server.operations).to.deep.equal(['REVOKE', 'RESPONSE'])
  })

  it('and tells programs what each address answered', async () => {
    await start()
    const { code, out } = await postern('knock --json 127.0.0.1 22')
    const told = JSON.parse(out)
    expect(code).to.equal(0)
    expect(told).to.include({ operation: 'open', protocol: 'letmein', host: '127.0.0.1', user: '0000A11C' })
    const [knock] = told.knocks
    expect(knock).to.deep.include({ resource: '00000022', port: 22, letIn: true })
    expect(knock.answers).to.have.length(1)
    expect(knock.answers[0]).to.deep.include({ address: '127.0.0.1', end: 'comein', step: 'RESPONSE', knocks: 1 })
  })

  it('as often as it has ports', async () => {
    await start()
    const { out } = await postern('knock 127.0.0.1 22 53')
    expect(out.trim().split('\n')).to.have.length(2)
    expect(server.operations.toSorted()).to.deep.equal(['KNOCK', 'KNOCK', 'RESPONSE', 'RESPONSE'])
  })

  it('and waits for the port (0)', async () => {
    await start()
    const service = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    const { code, out } = await postern(`knock --wait 127.0.0.1 ${port} -r 22`)
    expect(out).to.match(new RegExp(`^port ${port} of 127.0.0.1 is open \\(127.0.0.1, after \\d+ ms\\)\n$`))
    expect(code).to.equal(0)
    service.close()
  })

  it('and says that it is in but nothing is served (1)', async () => {
    await start()
    const { code, err } = await postern('knock --wait --timeout 0.3 127.0.0.1 8009 -r 22')
    expect(err).to.match(
      /lets this machine in at port 8009 \(COMEIN.*\), but it is still shut after 0.3 s: is its service/,
    )
    expect(code).to.equal(1)
  })

  for (const [what, behaviour, words] of [
    [
      'GOAWAY at once',
      { answers: () => [messageOf('GOAWAY')] },
      '127.0.0.1 did not open port 22: 127.0.0.1: it says GOAWAY: compare user, key and resource with',
    ],
    [
      'GOAWAY in the end',
      { answers: ({ operation }) => [messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'GOAWAY')] },
      'it takes the key, and says GOAWAY: the server could not change its firewall: look at its log',
    ],
    [
      'nothing',
      { answers: () => [] },
      'no answer from UDP port PORT to 3 KNOCKs within 0.5 s: compare user, key, control port (--port) and protocol (--tcp)',
    ],
    [
      'no COMEIN',
      { answers: ({ operation }) => (operation === 'KNOCK' ? [messageOf('CHALLENGE')] : []) },
      'it sent CHALLENGE, but no COMEIN within 0.5 s: it may have been done all the same: try the port, or knock again',
    ],
    [
      'something else',
      { answers: () => [new Uint8Array(56)] },
      'what answers at UDP port PORT is not letmein (wrong magic)',
    ],
    [
      'the wrong thing',
      { answers: () => [messageOf('COMEIN')] },
      'COMEIN came where CHALLENGE was expected: knock again',
    ],
  ] as const satisfies readonly (readonly [string, Behaviour, string])[]) {
    it(`and says what to do where it gets ${what} (1)`, async () => {
      await start(behaviour)
      const { code, out, err } = await postern('knock 127.0.0.1 22')
      expect(err).to.include(words.replace('PORT', String(server.port)))
      expect(err).to.match(/^postern: .*\n$/)
      expect({ code, out }).to.deep.equal({ code: 1, out: '' })
    })
  }

  it('and hears of a closed port at once (1)', async () => {
    await start()
    server.close()
    const { code, err } = await postern('knock 127.0.0.1 22')
    expect(err).to.include(`nothing is served at UDP port ${server.port} (ECONNREFUSED)`)
    expect(code).to.equal(1)
    await start()
  })

  it('warns of another resource and is in all the same', async () => {
    await start({
      answers: ({ operation }) => [messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'COMEIN', { resource: 1 })],
    })
    const { code, err } = await postern('knock 127.0.0.1 22')
    expect(err).to.match(
      /^postern: warning: 127.0.0.1: the server's CHALLENGE names resource 00000001: expected 00000022\n/,
    )
    expect(code).to.equal(0)
  })
})

describe('the postern program chooses the protocol', () => {
  let home: Home
  let socket: ReturnType<typeof createSocket>
  let heard: number[]
  before(() => {
    home = new Home(BOTH_CONF)
  })
  after(() => home.remove())
  beforeEach(async () => {
    heard = []
    socket = createSocket('udp4').bind(0, '127.0.0.1')
    socket.on('message', (bytes) => heard.push(bytes.length))
    await once(socket, 'listening')
  })
  afterEach(() => socket.close())
  const postern = (line: string) => home.postern([...line.split(' '), '-P', String(socket.address().port)])
  const isExchange = (bytes: number) => bytes === 56

  for (const [line, spa, letmein] of [
    ['knock --protocol spa 127.0.0.1 22', 1, 0],
    ['knock --protocol letmein 127.0.0.1 22', 0, 3],
    ['knock --lifetime 60 127.0.0.1 22', 1, 0],
    ['knock --extend 127.0.0.1 22', 1, 0],
    ['knock --address 192.0.2.7 127.0.0.1 22', 1, 0],
    ['knock 127.0.0.1 53', 1, 3],
    ['knock 127.0.0.1 55', 1, 3],
    ['knock 127.0.0.1 -r 99', 1, 3],
    ['revoke 127.0.0.1 22', 1, 3],
    ['knock 127.0.0.1 22', 2, 3],
  ] as const) {
    it(`${line}: ${spa} of postern’s own, ${letmein} of letmein’s`, async () => {
      const { code } = await postern(line)
      expect([heard.filter((bytes) => !isExchange(bytes)).length, heard.filter(isExchange).length]).to.deep.equal([
        spa,
        letmein,
      ])
      expect(code).to.equal(letmein === 0 ? 0 : 1)
    })
  }

  it('by the realm on the command line, which letmein has not', async () => {
    const path = home.write('letmein.conf', LETMEIN_CONF)
    expect((await postern(`knock -q --realm gate -c ${path} 127.0.0.1 22`)).code).to.equal(0)
    expect(heard.filter(isExchange)).to.deep.equal([])
  })

  it('and tells a client whose clock is off that it is, with --quiet too (0)', async () => {
    const service = createServer((connection) => connection.on('error', () => {}).resume())
    let isOpen = false
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    probe.close()
    const letmein = FakeServer.of(
      {
        answers: ({ operation }) => {
          if (operation === 'RESPONSE' && !isOpen) service.listen(port, '127.0.0.1')
          if (operation === 'RESPONSE') isOpen = true
          return [messageOf(operation === 'RESPONSE' ? 'COMEIN' : 'CHALLENGE')]
        },
      },
      0,
      () => {},
    )
    socket.on('message', (bytes, from) => {
      if (isExchange(bytes.length))
        letmein.take(bytes, from.port, (answer) => socket.send(answer, from.port, from.address))
    })
    const conf = home.write('auto.conf', BOTH_CONF.replace('port: 22', `port: ${port}`))
    const { code, out, err } = await postern(`knock -q --wait -c ${conf} 127.0.0.1 ${port}`)
    expect(err).to.match(
      /^postern: warning: postern's own knock opened nothing within 1 s, letmein's exchange did: compare this machine's clock \(20\d\d-/,
    )
    expect({ code, out }).to.deep.equal({ code: 0, out: '' })
    service.close()
  })
})
