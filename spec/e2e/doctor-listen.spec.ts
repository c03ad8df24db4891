/**
 * The server is silent, so whoever's knock opens nothing learns nothing; the administrator hears it come in, ahead of every rule.
 *
 *   client ── server: posternd doctor --user alice --listen, with or without a daemon, and rules that drop
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Knock, seal } from '../../lib/wire/spa.js'
import { deriveKeys, slotOf, tagOf } from '../../lib/wire/spa-keys.js'
import { KEY, KNOCK_PORT, REALM, USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { begin, type Story } from '../support/story.js'

const RESOURCES = ['00000001 = port: 22 / name: ssh / timeout: 30']
const MINUTE_MS = 60_000

/** A knock of alice's, by a clock that is off. */
function knockBy(offMs: number, more: Partial<Knock> = {}, key = KEY): Uint8Array {
  const keys = deriveKeys(Buffer.from(key, 'hex'), REALM)
  const timeMs = Date.now() + offMs
  const plain = { operation: 'open', resource: 1, lifetimeSeconds: 0, instant: false } as const
  const knock: Knock = { ...plain, user: Number.parseInt(USER, 16), timeMs, ...more }
  return seal(knock, keys.seal, tagOf(keys.tag, slotOf(timeMs), 0), randomBytes(24), 20)
}

describe('posternd doctor --listen', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: RESOURCES, more: `[USERS]\n${USER} = name: alice\n` })
  })
  after(() => story.close())

  /** What the doctor says of a datagram that comes while it listens. */
  async function saysOf(
    datagram: () => Uint8Array | undefined,
    { port = KNOCK_PORT, time = '30', family = 'v4' as 'v4' | 'v6' } = {},
  ) {
    const { postern, server, client } = story
    const words = [...postern.at, '--state-dir', join(story.folder, 'state'), '--user', 'alice', '--listen', time]
    const argv = [join(postern.folder, 'bin/posternd'), 'doctor', '--json', ...words]
    const doctor = server.spawn(argv, { POSTERN_NODE: '/run/node' })
    await doctor.waitLine(/^posternd: listening for \d+ s: let alice knock now$/)
    const bytes = datagram()
    if (bytes !== undefined) await client.send(server[family], port, [bytes])
    const { status } = await doctor.exited
    await doctor.closed
    const { findings, notes } = JSON.parse(doctor.lines.find((line) => line.startsWith('{'))!) as {
      findings: { code: string; sentence: string; mend: string }[]
      notes: string[]
    }
    expect(status).to.equal(findings.length === 0 ? 0 : 1)
    return { codes: findings.map(({ code }) => code), sentence: findings[0]?.sentence ?? '', notes }
  }

  it('says that a knock arrived, with the right key and time, and who sent it', async () => {
    const { codes, notes } = await saysOf(() => knockBy(0))
    expect(codes).to.deep.equal([])
    expect(notes[0]).to.match(
      /^the knock of user alice \(0000000A\) arrived from [\d.]+ with the right key; its time is \d\.\d s off$/,
    )
    expect(notes[0]).to.include(story.client.v4)
    const six = await saysOf(() => knockBy(0), { family: 'v6' })
    expect(six.codes).to.deep.equal([])
    expect(six.notes[0]).to.include(`arrived from ${story.client.v6} with the right key`)
  })

  it('says by how much a clock is off, which the kernel drops without a word', async () => {
    const { codes, sentence } = await saysOf(() => knockBy(-5 * MINUTE_MS))
    expect(codes).to.deep.equal(['clock-off'])
    expect(sentence).to.match(
      /the clock there is (5 min|5 min \d s|4 min 5\d s) behind this one, which says .*: 60 s are let pass$/,
    )
    expect((await saysOf(() => knockBy(49 * 60 * MINUTE_MS))).sentence).to.include('2 d 1 h ahead of this one')
  })

  it('says that a datagram bears another key', async () => {
    const { codes, sentence } = await saysOf(() => knockBy(0, {}, '5A'.repeat(32)), { time: '5' })
    expect(codes).to.deep.equal(['another-key'])
    expect(sentence).to.match(/key of user alice \(0000000A\) does not open: .* \(the key check is [0-9A-F]{8} here/)
    expect(sentence).not.to.include(KEY)
  })

  it('says that the address which it names is not the one it comes from', async () => {
    const { codes, sentence } = await saysOf(() => knockBy(0, { address: '10.1.2.3' }))
    expect(codes).to.deep.equal(['address-differs'])
    expect(sentence).to.include(`comes from ${story.client.v4} and opens for 10.1.2.3`)
  })

  it('hears the knock amid a stranger’s flood of what has its length', async () => {
    const { client, server, stranger } = story
    const target = { address: server.v4, port: KNOCK_PORT }
    let sent: Promise<unknown> = Promise.resolve()
    const { codes, notes } = await saysOf(() => {
      const flooded = stranger.flood(target, { count: 12_000, bytes: 120, perSecond: 6000 })
      sent = flooded.then(() => client.send(server.v4, KNOCK_PORT, [knockBy(0)]))
      return undefined
    })
    await sent
    expect(codes).to.deep.equal([])
    expect(notes[0]).to.include(`arrived from ${client.v4} with the right key`)
  })

  it('says that it went to a port where no knock is heard', async () => {
    const { codes, sentence } = await saysOf(() => knockBy(0), { port: KNOCK_PORT + 1 })
    expect(codes).to.deep.equal(['knock-port'])
    expect(sentence).to.include('UDP port 5801, and knocks are heard at UDP port 5800')
  })

  it('says that none came', async () => {
    const { codes, sentence } = await saysOf(() => undefined, { time: '1' })
    expect(codes).to.deep.equal(['nothing-arrived'])
    expect(sentence).to.include('no knock came in at UDP port 5800 within 1 s')
  })

  it('hears ahead of a rule that drops, and says who drops', async () => {
    const { server } = story
    await server.must([
      'nft',
      'add table inet wall; add chain inet wall in { type filter hook prerouting priority -1000; }; add rule inet wall in udp dport 5800 drop',
    ])
    const { codes } = await saysOf(() => knockBy(0))
    expect(codes).to.deep.equal(['knock-dropped'])
    await server.must(['nft', 'delete table inet wall'])
    await poll('a knock opens again', async () => {
      const { status } = await story.postern.postern(story.client, 'knock', '--wait', '--timeout', '1', server.v4, '22')
      return status === 0
    })
  })

  it('says whose it is where nobody is named, and who there is where the name is wrong', async () => {
    const { postern, server, client } = story
    const argv = [join(postern.folder, 'bin/posternd'), 'doctor', '--listen', '30', ...postern.at]
    const doctor = server.spawn(argv, { POSTERN_NODE: '/run/node' })
    await doctor.waitLine(/^posternd: listening for 30 s: let them knock now$/)
    await client.send(server.v4, KNOCK_PORT, [knockBy(-5 * MINUTE_MS)])
    await doctor.waitLine(/^the knock of user alice \(0000000A\) arrived from .* behind this one/)
    expect(await doctor.exited).to.have.property('status', 1)
    const { status, stderr } = await postern.posternd('doctor', '--user', 'alise', '--listen', '5', ...postern.at)
    expect(status).to.equal(2)
    expect(stderr).to.match(/--user "alise": .* \(it has alice\); did you mean "alice"\?/)
  })
})
