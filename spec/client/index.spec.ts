import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { KnockError, type KnockOptions, knock, type OpenOptions, open as openPort, revoke } from '../../lib/index.js'
import { type Knock, open } from '../../lib/wire/spa.js'
import { deriveKey } from '../../lib/wire/spa-keys.js'
import { Listener } from './listener.js'

const key = new Uint8Array(32).fill(9)
const sealKey = deriveKey(key, 'gate', 'seal')

describe('knock() for programs', () => {
  let server: Listener
  let options: KnockOptions

  beforeEach(async () => {
    server = await Listener.on(4)
    options = { host: '127.0.0.1', resource: 0x22, user: 5, key, realm: 'gate', controlPort: server.port }
  })
  afterEach(() => server.close())

  it('sends one datagram that says what is wished', async () => {
    const wish = { ...options, lifetimeSeconds: 60, address: '::ffff:192.0.2.7' }
    expect(await knock(wish)).to.deep.equal({ addresses: ['127.0.0.1'], sent: 1 })
    await server.hasHeard(1)
    const heard = open(server.heard[0]!, sealKey)
    expect(heard).to.include({ operation: 'open', user: 5, resource: 0x22, lifetimeSeconds: 60, address: '192.0.2.7' })
  })

  it('with the address auto names none that others may not see, and is no instant one', async () => {
    await knock({ ...options, address: 'auto', instant: true })
    await server.hasHeard(1)
    const heard = open(server.heard[0]!, sealKey)
    expect(heard).to.include({ instant: false }).and.not.have.property('address')
    expect(server.heard).to.have.length(1)
  })

  it('takes the key as hex digits too', async () => {
    await knock({ ...options, key: Buffer.from(key).toString('hex') })
    await server.hasHeard(1)
    expect(open(server.heard[0]!, sealKey)).to.include({ user: 5 })
  })

  it('sends an instant datagram first where the resource is', async () => {
    expect(await knock({ ...options, instant: true })).to.include({ sent: 2 })
    await server.hasHeard(2)
    expect(server.heard.map((bytes) => (open(bytes, sealKey) as Knock).instant)).to.deep.equal([true, false])
  })

  it('sends no instant datagram that could not say the lifetime', async () => {
    expect(await knock({ ...options, instant: true, lifetimeSeconds: 5 })).to.include({ sent: 1 })
  })

  it('revokes', async () => {
    await revoke(options)
    await server.hasHeard(1)
    expect(open(server.heard[0]!, sealKey)).to.include({ operation: 'revoke' })
  })

  for (const [what, wrong, message] of [
    ['a short key', { key: new Uint8Array(31) }, 'key of 31: expected 32 bytes or 64 hex digits'],
    ['a key of other letters', { key: 'secret' }, 'key of 6: expected 32 bytes or 64 hex digits'],
    ['a negative resource', { resource: -1 }, 'resource -1: expected a whole number 0–4294967295'],
    ['a fractional lifetime', { lifetimeSeconds: 1.5 }, 'lifetimeSeconds 1.5: expected a whole number 0–4294967295'],
    ['no address', { address: 'here' }, 'address "here": expected an IPv4 or IPv6 address, or auto'],
    ['port 0', { controlPort: 0 }, 'controlPort 0: expected a whole number 1–65535'],
    ['no tries', { tries: 0 }, 'tries 0: expected a whole number 1–100'],
    ['waiting for nothing', { waitMs: 100 }, 'waitMs without port: name the TCP port'],
    ['port 65536', { waitMs: 100, port: 65_536 }, 'port 65536: expected a whole number 1–65535'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const error = await knock({ ...options, ...wrong }).catch((thrown: unknown) => thrown)
      expect(error).to.be.an.instanceOf(KnockError)
      expect(error).to.include({ code: 'option', message })
    })
  }
})

describe('open() for programs', () => {
  let server: Listener
  let service: Server
  let options: OpenOptions
  beforeEach(async () => {
    server = await Listener.on(4)
    service = createServer((socket) => socket.on('error', () => {}).write('hello')).listen(0, '127.0.0.1')
    await once(service, 'listening')
    const { port } = service.address() as AddressInfo
    options = { host: '127.0.0.1', port, resource: 0x22, user: 5, key, realm: 'gate', controlPort: server.port }
  })
  afterEach(() => {
    server.close()
    service.close()
  })

  it('knocks, and gives a socket that is connected and has lost nothing', async () => {
    const socket = await openPort(options)
    await server.hasHeard(1)
    expect(open(server.heard[0]!, sealKey)).to.include({ user: 5, resource: 0x22, operation: 'open' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const [said] = await once(socket, 'data')
    expect(String(said)).to.equal('hello')
    socket.destroy()
  })

  it('says so where the port stays shut', async () => {
    service.close()
    const error = await openPort({ ...options, waitMs: 30 }).then(
      () => expect.fail('did not reject'),
      (reason) => reason,
    )
    expect(error).to.include({ name: 'KnockError', code: 'shut' })
    expect(error.message)
      .to.include(`port ${options.port} of 127.0.0.1 is still shut 0.03 s`)
      .and.include('ECONNREFUSED')
  })

  it('refuses what cannot be meant, before anything is sent', async () => {
    const error = await openPort({ ...options, port: 0 }).catch((reason) => reason)
    expect(error).to.include({ code: 'option', message: 'port 0: expected a whole number 1–65535' })
    expect(server.heard).to.have.length(0)
  })
})
