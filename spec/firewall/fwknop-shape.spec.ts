/**
 * Which datagrams the kernel takes for fwknop's and copies up.
 *
 *     client ── server: fwknop heard on 62201, letmein and SPA on 5800, group 5800 ── stranger
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Choices } from './support-config.js'
import { FIRST, LONGEST, PACKET_BYTES, packet, SHORTEST } from './support-fwknop.js'
import { LetmeinLab, lettingIn, message } from './support-letmein.js'

const PORT = 62_201

describe('fwknop’s packets', () => {
  let room: LetmeinLab
  before(async () => {
    room = await LetmeinLab.open()
  })
  beforeEach(() => start())
  afterEach(() => room.host.manager.remove())
  after(() => room.lab.close())

  const start = (choices: Partial<Choices> = {}, keep = false) => room.start({ fwknop: {}, ...choices }, keep)
  const copies = (packets: readonly Buffer[], to = room.lab.server.v4, port = PORT, bytes = PACKET_BYTES) =>
    room.copiesOf(() => room.lab.client.send(to, port, packets), '', bytes)

  it('come up from the shortest to the longest, whichever of four characters they begin with, over IPv4 and IPv6', async () => {
    for (const to of [room.lab.server.v4, room.lab.server.v6]) {
      for (const first of FIRST)
        expect(await copies([packet(PACKET_BYTES, first)], to), `${first} to ${to}`).to.equal(1)
      for (const length of [SHORTEST, 399, LONGEST])
        expect(await copies([packet(length)], to, PORT, length), `${length} to ${to}`).to.equal(1)
    }
  })

  const strange: readonly [string, Buffer][] = [
    ['one byte short', packet(SHORTEST - 1)],
    ['one byte long', packet(LONGEST + 1)],
    ['nothing', Buffer.alloc(0)],
    ['one character', packet(1)],
    ['another first character', packet(PACKET_BYTES, 'A')],
    ['zeros', Buffer.alloc(PACKET_BYTES)],
    ...[1, 2, 3, 4, 5, 6, 7].flatMap((at) =>
      // The neighbours of each range of base64's alphabet, and what other texts are made of.
      ['*', ',', '.', ':', '@', '[', '`', '{', '=', '-', '_', '\0', '\x80', '\xff'].map(
        (character): [string, Buffer] => {
          const bytes = packet()
          bytes.write(character, at, 'latin1')
          return [`${JSON.stringify(character)} at ${at}`, bytes]
        },
      ),
    ),
  ]
  it('do not come up if they begin with anything but base64, or have another length', async () => {
    for (const to of [room.lab.server.v4, room.lab.server.v6]) {
      const since = room.copies
      await room.copiesOf(() =>
        room.lab.client.send(
          to,
          PORT,
          strange.map(([, bytes]) => bytes),
        ),
      )
      expect(room.copies - since, 'the mark alone').to.equal(1)
      expect(await copies([packet()], to), 'and then a right one').to.equal(1)
    }
  })

  it('come up with every character of base64 at each of the seven places', async () => {
    await start({ fwknop: { burst: 1000 } })
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const packets = [...alphabet].map((character) => {
      const bytes = packet()
      bytes.write(character.repeat(7), 1)
      return bytes
    })
    expect(await copies(packets)).to.equal(alphabet.length)
  })

  it('come up at their ports only; with `any`, at all', async () => {
    const { server } = room.lab
    await start({ fwknop: { ports: [5800, 62_201] } })
    for (const [port, heard] of [
      [5800, 1],
      [62_201, 1],
      [62_202, 0],
    ] as const)
      expect(await copies([packet()], server.v4, port), `${port}`).to.equal(heard)
    await start({ fwknop: { ports: 'any' } })
    expect(await copies([packet()], server.v4, 7)).to.equal(1)
    expect(await copies([packet()], server.v6, 60_123)).to.equal(1)
    expect(await copies([randomBytes(PACKET_BYTES).fill(0, 0, 1)], server.v4, 7)).to.equal(0)
  })

  it('come up where SPA and letmein are off, and not where fwknop is', async () => {
    await start({ spa: { enabled: false }, letmein: { enabled: false } })
    expect(await room.nft('list chain inet postern pre')).to.match(/udp length 148-483 .* jump fwknop/)
    await room.start()
    expect(await copies([packet()])).to.equal(0)
    await start({ fwknop: { ports: [] } })
    expect(await copies([packet()])).to.equal(0)
  })

  it('share a port with letmein and SPA, each of which comes up once', async () => {
    const { client, server } = room.lab
    await start({ fwknop: { ports: [5800] } })
    const since = room.copies
    await room.copiesOf(() => client.send(server.v4, 5800, [packet(), message(), packet(256)]))
    expect(room.copies - since).to.equal(4)
  })

  it('go on and meet what any closed port gives, those that come up too', async () => {
    const { client, server } = room.lab
    for (const to of [server.v4, server.v6]) {
      const capture = await server.capture()
      await client.send(to, PORT, [packet()])
      await client.send(to, PORT, [packet(PACKET_BYTES, 'A')])
      await client.send(to, PORT + 1, [packet()])
      const sent = (await capture.sent()).map(String)
      capture.stop()
      expect(sent).to.have.length(3)
      expect(new Set(sent).size).to.equal(1)
    }
  })

  it('a reload turns it on and off and changes its ports, and leaves known sources known', async () => {
    const { client, server } = room.lab
    const { manager } = room.host
    expect(await manager.noteSource('fwknop', client.v4)).to.equal(true)
    await manager.reload(lettingIn({ fwknop: { ports: [7777] } }))
    expect(await copies([packet()], server.v4, 7777)).to.equal(1)
    expect(await copies([packet()])).to.equal(0)
    expect(await room.nft('list set inet postern fwknop_known4')).to.include(client.v4)
    await manager.reload(lettingIn({}))
    expect(await room.nft('list ruleset')).to.not.include('fwknop')
    expect(await manager.noteSource('fwknop', client.v4)).to.equal(false)
    await manager.reload(lettingIn({ fwknop: {} }))
    expect(await copies([packet()])).to.equal(1)
    expect(await manager.verify()).to.equal('intact')
  })

  it('a restart leaves its table running, and what somebody else removed comes back', async () => {
    await room.host.manager.noteSource('fwknop', room.lab.client.v6)
    await start({}, true)
    expect(await room.nft('list set inet postern fwknop_known6')).to.include('fd18:1::')
    await room.nft('flush chain inet postern fwknop')
    expect(await copies([packet()])).to.equal(0)
    expect(await room.host.manager.verify()).to.equal('restored')
    expect(await copies([packet()])).to.equal(1)
    await room.nft('flush ruleset')
    expect(await room.host.manager.verify()).to.equal('restored')
    expect(await copies([packet()])).to.equal(1)
  })

  it('a saved ruleset loads again, with all that is in it', async () => {
    const { client, server, folder } = room.lab
    await room.host.manager.noteSource('fwknop', client.v4)
    await room.host.manager.noteSource('fwknop', client.v6)
    await room.lab.stranger.send(server.v4, PORT, [packet()])
    await room.lab.stranger.send(server.v6, PORT, [packet()])
    const lines = async () =>
      (await room.nft('list ruleset'))
        .replace(/ (timeout|expires) \w+/g, '')
        .split('\n')
        .sort()
    const before = await lines()
    await server.must(['sh', '-c', `nft list ruleset > ${folder}/s.nft; nft flush ruleset; nft -f ${folder}/s.nft`])
    expect(await lines()).to.deep.equal(before)
    expect(await copies([packet()])).to.equal(1)
  })
})
