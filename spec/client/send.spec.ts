import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect } from 'chai'
import { Listener } from './listener.js'

/** With Bun: what the client in one file has in its place (spec/getting/client-binary.spec.ts). */
const { send } = await import(
  process.versions['bun'] === undefined ? '../../lib/client/send.js' : '../../lib/client/bun-send.js'
)

const bytes = (byte: number) => new Uint8Array(100).fill(byte)

/** A port that nobody has, in either family. */
async function freePort(): Promise<number> {
  const both = createSocket('udp6')
  both.bind(0)
  await once(both, 'listening')
  const { port } = both.address()
  both.close()
  await once(both, 'close')
  return port
}

describe('sending', () => {
  let four: Listener
  let six: Listener

  beforeEach(async () => {
    four = await Listener.on(4)
    six = await Listener.on(6)
  })
  afterEach(() => {
    four.close()
    six.close()
  })

  it('reaches both families at once, and says so in the order of the datagrams', async () => {
    const outgoing = [
      { bytes: bytes(1), to: { address: '::1', family: 6 }, port: six.port },
      { bytes: bytes(2), to: { address: '127.0.0.1', family: 4 }, port: four.port },
      { bytes: bytes(3), to: { address: '::1', family: 6 }, port: six.port },
    ] as const
    expect(await send(outgoing)).to.deep.equal(outgoing.map((one) => ({ outgoing: one })))
    await Promise.all([four.hasHeard(1), six.hasHeard(2)])
    expect(four.heard.map(([first]) => first)).to.deep.equal([2])
    expect(six.heard.map(([first]) => first)).to.deep.equal([1, 3])
  })

  it('is not spoiled by an address that cannot be sent to', async () => {
    const dead = { bytes: bytes(1), to: { address: '255.255.255.255', family: 4 }, port: 9 } as const // EACCES: no broadcast
    const [first, second] = await send([dead, { bytes: bytes(2), to: { address: '::1', family: 6 }, port: six.port }])
    expect(first!.error).to.have.property('code')
    expect(second!.error).to.equal(undefined)
    await six.hasHeard(1)
  })

  it('is not spoiled by another address of the same family', async () => {
    const dead = { bytes: bytes(1), to: { address: '255.255.255.255', family: 4 }, port: 9 } as const
    const [first, second] = await send([
      dead,
      { bytes: bytes(2), to: { address: '127.0.0.1', family: 4 }, port: four.port },
    ])
    expect(first!.error).to.have.property('code')
    expect(second!.error).to.equal(undefined)
    await four.hasHeard(1)
  })

  it('takes no notice of a port that nobody listens on', async () => {
    const { port } = four
    four.close()
    const refused = { bytes: bytes(1), to: { address: '127.0.0.1', family: 4 }, port } as const
    expect(await send([refused, { ...refused }])).to.deep.equal([{ outgoing: refused }, { outgoing: refused }])
    four = await Listener.on(4)
  })

  it('leaves from the port that is named, in both families', async () => {
    const from = await freePort()
    const outgoing = [
      { bytes: bytes(1), to: { address: '127.0.0.1', family: 4 }, port: four.port, from },
      { bytes: bytes(2), to: { address: '::1', family: 6 }, port: six.port, from },
    ] as const
    expect(await send(outgoing)).to.deep.equal(outgoing.map((one) => ({ outgoing: one })))
    await Promise.all([four.hasHeard(1), six.hasHeard(1)])
    expect([...four.sources, ...six.sources]).to.deep.equal([from, from])
  })

  it('says where that port is taken', async () => {
    const taken = { bytes: bytes(1), to: { address: '127.0.0.1', family: 4 }, port: 9, from: four.port } as const
    const [sending] = await send([taken])
    expect(sending!.error).to.have.property('code', 'EADDRINUSE')
  })

  it('of nothing is nothing', async () => {
    expect(await send([])).to.deep.equal([])
  })
})
