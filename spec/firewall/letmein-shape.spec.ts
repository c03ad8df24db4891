/**
 * Which of letmein's datagrams the kernel copies up, and for whom.
 *
 *     client ── server: letmein heard on 5800 over UDP, group 5800 ── stranger
 */
import { expect } from 'chai'
import { OTHER_USER, USER } from './support-config.js'
import { head, LetmeinLab, lettingIn, message, OPERATION } from './support-letmein.js'

describe('letmein’s datagrams', () => {
  let room: LetmeinLab
  before(async () => {
    room = await LetmeinLab.open()
  })
  beforeEach(() => room.start())
  afterEach(() => room.host.manager.remove())
  after(() => room.lab.close())

  const copies = (messages: readonly Buffer[], to = room.lab.server.v4, port = 5800) =>
    room.copiesOf(() => room.lab.client.send(to, port, messages))
  const isHeard = async (user: number) => (await copies([message(head(user))])) === 1
  const users = async () => /elements = \{ ([^}]*) \}/.exec(await room.nft('list set inet postern letmein_users'))?.[1]

  it('come up if they are KNOCK, RESPONSE or REVOKE of a known user, over IPv4 and IPv6', async () => {
    for (const to of [room.lab.server.v4, room.lab.server.v6])
      for (const operation of [OPERATION.KNOCK, OPERATION.RESPONSE, OPERATION.REVOKE])
        for (const user of [USER, OTHER_USER])
          expect(await copies([message(head(user, operation))], to), `${operation} of ${user} to ${to}`).to.equal(1)
  })

  const strange: readonly [string, Buffer][] = [
    ['one byte short', message(head(), 55)],
    ['one byte long', message(head(), 57)],
    ['nothing', Buffer.alloc(0)],
    ['no more than magic, operation and user', message(head(), 12)],
    ['another magic', message(head(USER, OPERATION.KNOCK, 0x3b1bb718))],
    ['CHALLENGE', message(head(USER, OPERATION.CHALLENGE))],
    ['COMEIN', message(head(USER, OPERATION.COMEIN))],
    ['GOAWAY', message(head(USER, OPERATION.GOAWAY))],
    ['operation 6', message(head(USER, 6))],
    ['operation 1280', message(head(USER, 0x500))],
    ['operation 4294967295', message(head(USER, 0xffffffff))],
    ['user 0, who has no key', message(head(0))],
    ['an unknown user', message(head(77))],
    ['a known user’s number backwards', message(head(USER << 24))],
  ]
  it('do not come up if anything else is in them', async () => {
    for (const [what, bytes] of strange)
      for (const to of [room.lab.server.v4, room.lab.server.v6]) {
        expect(await room.copiesOf(() => room.lab.client.send(to, 5800, [bytes])), what).to.equal(0)
        expect(await copies([message()], to), `${what}, and then a right one`).to.equal(1)
      }
  })

  it('come up at control ports only; with `any`, at all', async () => {
    const { server } = room.lab
    await room.start({ letmein: { ports: { udp: [5801, 5900], tcp: [] } } })
    for (const [port, heard] of [
      [5800, 0],
      [5801, 1],
      [5900, 1],
    ] as const)
      expect(await copies([message()], server.v4, port), `${port}`).to.equal(heard)
    await room.start({ letmein: { ports: { udp: 'any', tcp: [] } } })
    expect(await copies([message()], server.v4, 7)).to.equal(1)
    expect(await copies([message()], server.v6, 60_123)).to.equal(1)
    expect(await copies([message(head(77))], server.v4, 7)).to.equal(0)
  })

  it('come up where SPA is off, and not where letmein is off or over TCP alone', async () => {
    await room.start({ letmein: { enabled: false } })
    expect(await copies([message()])).to.equal(0)
    await room.start({ letmein: { ports: { udp: [], tcp: [5800] } } })
    expect(await copies([message()])).to.equal(0)
    await room.host.manager.remove()
    await room.host.make(lettingIn({ spa: { enabled: false } }))
    await room.host.manager.start({ keep: false })
    expect(await room.nft('list chain inet postern pre')).to.match(/udp length 64 .* jump letmein/)
  })

  it('meet what any closed port gives, but for those that come up: an ICMP message would end letmein’s client', async () => {
    const { server, stranger } = room.lab
    for (const to of [server.v4, server.v6]) {
      const capture = await server.capture()
      await stranger.send(to, 5800, [message()])
      await stranger.send(to, 5800, [message(head(77))])
      await stranger.send(to, 5801, [message()])
      const sent = (await capture.sent()).map(String)
      expect(sent).to.have.length(2)
      expect(new Set(sent).size).to.equal(1)
    }
  })

  it('a reload changes users in its own transaction, and leaves known sources known', async () => {
    await room.host.manager.noteSource('letmein', room.lab.client.v4)
    expect(await users()).to.equal('0x1, 0x2')
    await room.host.manager.reload(lettingIn({ users: [USER, 3, 0xfffffffe] }))
    expect(await users()).to.equal('0x1, 0x3, 0xfffffffe')
    expect(await isHeard(OTHER_USER)).to.equal(false)
    for (const user of [USER, 3, 0xfffffffe]) expect(await isHeard(user), `${user}`).to.equal(true)
    expect(await room.nft('list set inet postern letmein_known4')).to.include(room.lab.client.v4)
    // A user whom somebody else has taken out already does not stop it.
    await room.nft('delete element inet postern letmein_users { 0x3 }')
    await room.host.manager.reload(lettingIn({ users: [USER] }))
    expect(await users()).to.equal('0x1')
    await room.host.manager.reload(lettingIn({ users: [] }))
    expect(await isHeard(USER)).to.equal(false)
    expect(await room.host.manager.verify()).to.equal('intact')
  })

  it('a reload that is refused leaves the users as they are', async () => {
    const bad = lettingIn({ users: [3], firewall: { trust: ['a"b'] } })
    expect(await room.host.manager.reload(bad).catch((error: Error) => error.message)).to.match(/expected no quote/)
    expect(await users()).to.equal('0x1, 0x2')
    await room.host.manager.reload(lettingIn({ users: [USER, 3] }))
    expect(await users()).to.equal('0x1, 0x3')
  })

  it('a reload turns it off and on', async () => {
    await room.host.manager.reload(lettingIn({ letmein: { enabled: false } }))
    expect(await room.nft('list ruleset')).to.not.include('letmein')
    expect(await room.host.manager.noteSource('letmein', room.lab.client.v4)).to.equal(false)
    await room.host.manager.reload(lettingIn({}))
    expect(await isHeard(USER)).to.equal(true)
    // More users than the set was made for.
    const many = Array.from({ length: 5000 }, (_, i) => i + 1)
    await room.host.manager.reload(lettingIn({ users: many }))
    for (const user of [1, 2500, 5000]) expect(await isHeard(user), `${user}`).to.equal(true)
    expect(await isHeard(5001)).to.equal(false)
  })

  it('a restart leaves a table of other users running, and puts its own in', async () => {
    await room.host.manager.noteSource('letmein', room.lab.client.v6)
    await room.start({ users: [USER, 3] }, true)
    expect(await users()).to.equal('0x1, 0x3')
    expect(await isHeard(OTHER_USER)).to.equal(false)
    expect(await isHeard(3)).to.equal(true)
    expect(await room.nft('list set inet postern letmein_known6')).to.include('fd18:1::')
  })

  it('what somebody else removed comes back with its users', async () => {
    await room.nft('flush ruleset')
    expect(await room.host.manager.noteSource('letmein', room.lab.client.v4)).to.equal(false)
    expect(await room.host.manager.verify()).to.equal('restored')
    expect(await isHeard(USER)).to.equal(true)
    await room.nft('flush chain inet postern letmein; flush set inet postern letmein_users')
    expect(await room.host.manager.verify()).to.equal('restored')
    expect(await isHeard(OTHER_USER)).to.equal(true)
    expect(await room.host.manager.verify()).to.equal('intact')
  })

  it('a saved ruleset loads again, with all that is in it', async () => {
    const { client, server, stranger, folder } = room.lab
    for (const host of [client, stranger]) {
      await room.host.manager.noteSource('letmein', host.v4)
      await room.host.manager.noteSource('letmein', host.v6)
    }
    for (const to of [server.v4, server.v6]) await client.send(to, 5800, [message()])
    await room.flood(['198.18.64.1'], { count: 30 })
    await room.flood(['fd18:64::1'], { count: 30 }, server.v6)
    const lines = async () =>
      (await room.nft('list ruleset'))
        .replace(/ (timeout|expires) \w+/g, '')
        .split('\n')
        .sort()
    const before = await lines()
    expect(before.filter((line) => /elements = .*limit rate/.test(line))).to.have.length(4)
    await server.must(['sh', '-c', `nft list ruleset > ${folder}/s.nft; nft flush ruleset; nft -f ${folder}/s.nft`])
    expect(await lines()).to.deep.equal(before)
    expect(await isHeard(USER)).to.equal(true)
    expect(await room.host.manager.verify()).to.equal('restored')
    expect(await isHeard(USER)).to.equal(true)
  })
})
