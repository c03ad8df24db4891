import { expect } from 'chai'
import { clientSystem } from '../../lib/client/client-system.js'
import type { Outside } from '../../lib/client/deliver.js'
import { type FwknopIdentity, fwknopPacket, isFwknopAddress, randomFwknopPort } from '../../lib/client/fwknop.js'
import { type FwknopErrand, performFwknop } from '../../lib/client/fwknop-perform.js'
import type { Outgoing } from '../../lib/client/send.js'
import { openFwknop } from '../../lib/wire/fwknop.js'
import type { FwknopDigest, FwknopMode, FwknopPort } from '../../lib/wire/fwknop-types.js'

const { random } = clientSystem
const key = Buffer.from('a key of the spec')
const hmac = { key: Buffer.from('an HMAC key of the spec'), digest: 'sha256' } as const
const identity: FwknopIdentity = { keys: { key, mode: 'cbc', hmac }, digest: 'sha256', username: 'alice' }
const SSH: FwknopPort = { protocol: 'tcp', port: 22 }
const wish = { ports: [SSH], address: '10.1.2.3', timeoutSeconds: 0 }
const NOW = 1_795_353_023_999
const DIGESTS: readonly FwknopDigest[] = ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3_256', 'sha3_512']
const MODES: readonly FwknopMode[] = ['cbc', 'ecb', 'cfb', 'ofb', 'ctr', 'legacy']

const errand: FwknopErrand = {
  host: 'gate.example.org',
  families: [4],
  identity,
  wish: { ports: [SSH], timeoutSeconds: 0 },
  allow: { kind: 'source' },
  controlPort: 62_201,
  timeOffsetMs: 0,
  tries: 1,
}

function outsideOf(changes: Partial<Outside> = {}) {
  const sent: Outgoing[] = []
  const outside: Outside = {
    ...clientSystem,
    nowMs: () => NOW,
    lookup: async (_, family) => (family === 4 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1']),
    send: async (outgoing) => {
      sent.push(...outgoing)
      return outgoing.map((one) => ({ outgoing: one }))
    },
    pause: async () => {},
    ownAddress: async ({ address }) => (address === '192.0.2.1' ? '10.0.0.1' : '10.0.0.2'),
    ...changes,
  }
  return { outside, sent }
}

const messageIn = (bytes: Uint8Array, keys = identity.keys) => {
  const message = openFwknop(bytes, keys)
  if ('why' in message) throw new Error(message.why)
  return message
}

describe('fwknop’s packet, as a client makes it', () => {
  it('says what is asked for, in whole seconds', () => {
    expect(messageIn(fwknopPacket(wish, identity, NOW, random))).to.deep.include({
      username: 'alice',
      timeSeconds: 1_795_353_023,
      type: 1,
      message: '10.1.2.3,tcp/22',
      timeoutSeconds: 0,
    })
    const longer = { ...wish, timeoutSeconds: 60, ports: [SSH, { protocol: 'udp', port: 53 } as const] }
    expect(messageIn(fwknopPacket(longer, identity, NOW, random))).to.deep.include({
      type: 3,
      message: '10.1.2.3,tcp/22,udp/53',
      timeoutSeconds: 60,
    })
  })

  it('is never twice the same', () => {
    const packets = Array.from({ length: 50 }, () => fwknopPacket(wish, identity, NOW, random))
    expect(new Set(packets.map((bytes) => Buffer.from(bytes).toString())).size).to.equal(50)
    expect(new Set(packets.map((bytes) => messageIn(bytes).rand)).size).to.equal(50)
  })

  for (const mode of MODES)
    it(`is made in mode ${mode} with every digest`, () => {
      for (const digest of DIGESTS) {
        const keys = { key, mode, hmac: { ...hmac, digest } }
        const bytes = fwknopPacket(wish, { ...identity, keys, digest }, NOW, random)
        expect(messageIn(bytes, keys)).to.include({ digest, message: '10.1.2.3,tcp/22' })
        expect(bytes.length).to.be.within(140, 399)
      }
    })

  it('is refused where a fwknopd would take it for GnuPG’s, and is as long as that allows', () => {
    const ports = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ protocol: 'tcp' as const, port: 40_000 + i }))
    for (const keys of [
      identity.keys,
      { key, mode: 'cbc' as const },
      { key, mode: 'cbc' as const, hmac: { ...hmac, digest: 'sha512' as const } },
    ]) {
      let most = 0
      for (let count = 1; count <= 40; count++) {
        const attempt = () => fwknopPacket({ ...wish, ports: ports(count) }, { ...identity, keys }, NOW, random)
        try {
          const bytes = attempt()
          expect(bytes.length).to.be.below(400)
          expect(messageIn(bytes, keys).message.split(',')).to.have.length(count + 1)
          expect(most).to.equal(count - 1)
          most = count
        } catch (error) {
          expect(error).to.include({ name: 'KnockError', code: 'option' })
          expect((error as Error).message).to.include(`${count} ports do not fit into one packet`)
        }
      }
      expect(most).to.be.within(8, 18)
    }
  })

  it('shows no key in an error', () => {
    const long = { ...identity, keys: { key: Buffer.from('secret'.repeat(9)), mode: 'cbc' as const } }
    expect(() => fwknopPacket(wish, long, NOW, random))
      .to.throw(RangeError)
      .with.property('message')
      .not.includes('secret')
  })

  it('names IPv4 addresses alone', () => {
    expect(['192.0.2.1', '0.0.0.0'].every(isFwknopAddress)).to.equal(true)
    expect(['::1', '::ffff:192.0.2.1', '192.0.2.01', '192.0.2', 'gate', ''].some(isFwknopAddress)).to.equal(false)
  })

  it('goes to random ports where the real client’s do', () => {
    const ports = Array.from({ length: 2000 }, () => randomFwknopPort(random))
    expect(Math.min(...ports)).to.be.within(10_000, 11_500)
    expect(Math.max(...ports)).to.be.within(64_000, 65_534)
  })
})

describe('a knock by fwknop’s packet', () => {
  it('goes to every IPv4 address, each packet for itself, and asks for no IPv6 one', async () => {
    const { outside, sent } = outsideOf()
    const { destinations } = await performFwknop(errand, outside)
    expect(destinations.map(({ address }) => address)).to.deep.equal(['192.0.2.1', '192.0.2.2'])
    expect(sent.map(({ to, port }) => `${to.address} ${port}`)).to.deep.equal(['192.0.2.1 62201', '192.0.2.2 62201'])
    expect(new Set(sent.map(({ bytes }) => messageIn(bytes).rand)).size).to.equal(2)
    expect(sent.map(({ bytes }) => messageIn(bytes).message)).to.deep.equal(['0.0.0.0,tcp/22', '0.0.0.0,tcp/22'])
  })

  it('says this machine’s own address to each, and over IPv6 what the datagram comes from', async () => {
    const { outside, sent } = outsideOf()
    await performFwknop({ ...errand, families: [4, 6], allow: { kind: 'own' } }, outside)
    const said = Object.fromEntries(sent.map(({ to, bytes }) => [to.address, messageIn(bytes).message]))
    expect(said).to.deep.equal({
      '192.0.2.1': '10.0.0.1,tcp/22',
      '192.0.2.2': '10.0.0.2,tcp/22',
      '2001:db8::1': '0.0.0.0,tcp/22',
    })
  })

  it('says the address that is named, whatever it is sent over', async () => {
    const { outside, sent } = outsideOf()
    await performFwknop({ ...errand, families: [4, 6], allow: { kind: 'address', address: '203.0.113.9' } }, outside)
    expect(sent.map(({ bytes }) => messageIn(bytes).message)).to.deep.equal(Array(3).fill('203.0.113.9,tcp/22'))
  })

  it('is told in the server’s time, to its port, from the port that is named', async () => {
    const { outside, sent } = outsideOf()
    await performFwknop({ ...errand, timeOffsetMs: -600_000, controlPort: 'any', sourcePort: 53 }, outside)
    const [first, second] = sent
    expect(messageIn(first!.bytes).timeSeconds).to.equal(1_795_352_423)
    expect([first!.from, second!.from]).to.deep.equal([53, 53])
    expect(first!.port).to.be.within(10_000, 65_534).and.not.equal(second!.port)
  })

  it('is repeated with fresh packets, and no more when the port is open', async () => {
    const { outside, sent } = outsideOf()
    await performFwknop({ ...errand, tries: 3 }, outside)
    expect(new Set(sent.map(({ bytes }) => Buffer.from(bytes).toString())).size).to.equal(6)

    const open = outsideOf({ probe: async ([to]) => to, pause: () => new Promise(() => {}) })
    const wait = { ports: [22], timeoutMs: 5000 }
    const { opened } = await performFwknop({ ...errand, tries: 3, wait }, open.outside)
    expect(opened.get(22)).to.have.nested.property('to.address', '192.0.2.1')
    expect(open.sent).to.have.length(2)
  })

  it('finds this machine’s own address without sending anything', async () => {
    expect(await clientSystem.ownAddress({ address: '127.0.0.1', family: 4 })).to.equal('127.0.0.1')
    expect(await clientSystem.ownAddress({ address: '::1', family: 6 })).to.equal('::1')
    expect(await clientSystem.ownAddress({ address: '255.255.255.255', family: 4 })).to.equal(undefined)
  })
})
