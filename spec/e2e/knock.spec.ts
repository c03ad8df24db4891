/**
 *     client ──── server: posternd, a service on 22 ──── stranger
 *        one datagram ──▶ open for the client, shut for the stranger, shut again when the lease ends
 */
import { expect } from 'chai'
import { becomesOpen, becomesShut, begin, datagramsOf, LEASE_MS, type Story, withinLease } from '../support/story.js'

for (const family of ['v4', 'v6'] as const) {
  describe(`a knock over IP${family}`, () => {
    let story: Story
    let address: string
    before(async () => {
      story = await begin()
      address = story.server[family]
    })
    after(() => story.close())

    it('opens a shut port for its sender and nobody else, with one datagram and no answer, until the lease ends', async () => {
      const { client, server, stranger, postern } = story
      expect(await client.connect(address, 22)).to.equal('refused')
      const { capture, held } = await withinLease(async () => {
        await becomesShut(client, address)
        const capture = await server.capture()

        await postern.knock(client, address, '22')

        await becomesOpen(client, address)
        expect(await stranger.connect(address, 22)).to.equal('refused')
        return { capture, held: await client.hold(address, 22) }
      })
      await becomesShut(client, address)
      expect(await held.talk(), 'a connection outlives the lease that let it in').to.equal('answered')
      const packets = await capture.packets()
      expect(datagramsOf(packets)).to.have.length(1)
      expect(packets.filter((packet) => packet.outgoing && packet.kind === 'udp')).to.deep.equal([])
    })

    it('is answered by the host as any datagram to a closed port', async () => {
      const { client, server, postern } = story
      const capture = await server.capture()
      await postern.knock(client, address, '22')
      const [heard] = datagramsOf(await capture.packets())
      await client.send(address, 5999, [heard!])
      const icmp = (await capture.sent()).filter((packet) => packet.kind === 'icmp')
      expect(icmp).to.have.length(2)
      expect(String(icmp[0])).to.equal(String(icmp[1]))
    })

    it('says how long it is to last, and is revoked', async () => {
      const { client, postern } = story
      await postern.knock(client, address, '22', '--lifetime', '50')
      await becomesOpen(client, address)
      const [lease] = (await postern.status()).leases
      expect(lease!.remainingMs).to.be.within(LEASE_MS + 1, 50_000)
      expect((await postern.postern(client, 'revoke', address, '22')).status).to.equal(0)
      await becomesShut(client, address)
    })

    it('waits until the port is open, where it is told to', async () => {
      const { client, postern } = story
      await becomesShut(client, address)
      await postern.knock(client, address, '22', '--wait', '--lifetime', '30')
      expect(await client.connect(address, 22)).to.equal('open')
    })
  })
}

describe('a knock for another address', () => {
  let story: Story
  before(async () => {
    story = await begin()
  })
  after(() => story.close())

  it('opens for the address inside it and not for its sender', async () => {
    const { client, stranger, server, postern } = story
    await postern.knock(client, server.v4, '22', '--address', stranger.v4, '--lifetime', '30')
    await becomesOpen(stranger, server.v4)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })
})

describe('a resource of several ports', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: ['00000001 = port: 22,8000-8010 / timeout: 30'], services: [22, 8005, 8011] })
  })
  after(() => story.close())

  it('opens them all with one knock, and guards no others', async () => {
    const { client, stranger, server, postern } = story
    expect(await client.connect(server.v4, 8005)).to.equal('refused')
    expect(await client.connect(server.v4, 8011)).to.equal('open')
    await postern.knock(client, server.v4, '--resource', '1')
    await becomesOpen(client, server.v4, 22)
    expect(await client.connect(server.v4, 8005)).to.equal('open')
    expect(await stranger.connect(server.v4, 8005)).to.equal('refused')
  })
})

describe('with `port = any/udp` a knock', () => {
  let story: Story
  before(async () => {
    story = await begin({ port: 'any / udp' })
  })
  after(() => story.close())

  it('is heard on whatever UDP port it is sent to, beside what is served there', async () => {
    const { client, server, postern } = story
    await server.listen(53)
    await postern.knock(client, server.v4, '22', '--port', '53', '--lifetime', '30')
    await becomesOpen(client, server.v4)
    expect(await server.heard(53), 'the service on that port gets it too').to.have.length(1)
    await postern.knock(client, server.v6, '22', '--port', 'any', '--lifetime', '30')
    await becomesOpen(client, server.v6)
  })
})
