import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { probe } from '../../lib/client/probe.js'

const four = { address: '127.0.0.1', family: 4 } as const
const six = { address: '::1', family: 6 } as const

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(port, host)
  await once(server, 'listening')
  return server
}

async function freePort(): Promise<number> {
  const server = await listen(0, '127.0.0.1')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('probing a TCP port', () => {
  it('finds it open, and hangs up', async () => {
    const server = await listen(0, '127.0.0.1')
    const hungUp = once(server, 'connection').then(([socket]) => once(socket, 'close'))
    const { port } = server.address() as AddressInfo
    expect(await probe([four], port, new AbortController().signal)).to.deep.equal(four)
    await hungUp
    server.close()
  })

  it('finds the family that is open', async () => {
    const port = await freePort()
    const server = await listen(port, '::1')
    expect(await probe([four, six], port, new AbortController().signal)).to.deep.equal(six)
    server.close()
  })

  it('goes on until it opens', async () => {
    const port = await freePort()
    const found = probe([four], port, new AbortController().signal)
    const server = await new Promise<Server>((resolve) => setTimeout(() => resolve(listen(port, '127.0.0.1')), 60))
    expect(await found).to.deep.equal(four)
    server.close()
  })

  it('ends with nothing when it is told to', async () => {
    const end = new AbortController()
    const found = probe([four, six], await freePort(), end.signal)
    setTimeout(() => end.abort(), 30)
    expect(await found).to.equal(undefined)
  })

  it('does not begin where it has been ended', async () => {
    expect(await probe([four], 9, AbortSignal.abort())).to.equal(undefined)
  })
})
