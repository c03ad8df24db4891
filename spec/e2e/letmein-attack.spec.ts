/**
 * Who has recorded an exchange, or knows a user's number, learns nothing and locks nobody out.
 *
 *     client: letmein, 20 exchanges ──▶ server: posternd with a letmeind.conf, chains that drop ◀── stranger: recordings, guesses
 *                                       not one byte to the stranger; 20 of 20 for the client
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { encode } from '../../lib/wire/letmein.js'
import type { Capture } from '../support/capture.js'
import { KNOCK_PORT } from '../support/installation.js'
import { answer, answersTo, challengeFor, knockMessage, operationOf, responseTo } from '../support/letmein-exchange.js'
import { LetmeinServer, letmeindFile } from '../support/letmein-peer.js'
import { beginLetmein, type LetmeinStory, SSH } from '../support/letmein-story.js'
import { pause } from '../support/poll.js'
import { datagramsOf } from '../support/story.js'

const EXCHANGES = 20
const port = `${KNOCK_PORT} / tcp,udp`
/** So long letmeind waits for a RESPONSE, and its places are full so soon. */
const SOON = ['control-timeout = 0.7']

interface Recording {
  readonly knock: Buffer
  readonly challenge: Buffer
  readonly response: Buffer
}

/** What went over the wire while the real client opened and revoked port 22. */
async function record({ client, server, letmein }: LetmeinStory): Promise<Recording> {
  const capture = await server.capture()
  await letmein.must(client, 'knock', '-U', server.v4, '22')
  const packets = await capture.packets()
  await letmein.must(client, 'revoke', '-U', server.v4, '22')
  capture.stop()
  const [knock, response] = datagramsOf(packets)
  const [challenge, comein] = answersTo(packets, client.v4)
  expect([knock, challenge, response, comein].map((bytes) => operationOf(bytes!))).to.deep.equal([
    'KNOCK',
    'CHALLENGE',
    'RESPONSE',
    'COMEIN',
  ])
  return { knock: knock!, challenge: challenge!, response: response! }
}

/** A RESPONSE whose auth nobody made. */
function guess(): Buffer {
  return Buffer.from(
    encode({ operation: 'RESPONSE', user: 0xa, resource: 1, salt: randomBytes(8), auth: randomBytes(32) }),
  )
}

describe('letmein’s exchange', () => {
  let story: LetmeinStory
  let recorded: Recording
  let capture: Capture
  before(async () => {
    // As long as it is by default: what is tried between a CHALLENGE and its RESPONSE takes its time.
    story = await beginLetmein({ port })
    recorded = await record(story)
  })
  after(() => story.close())
  beforeEach(async () => {
    capture = await story.server.capture()
  })
  afterEach(() => capture.stop())

  async function sentTo(address: string): Promise<string[]> {
    return (await capture.sent()).filter(({ destination }) => destination === address).map(String)
  }

  async function isShutForAll(): Promise<void> {
    const { client, stranger, server } = story
    expect(await client.connect(server.v4, 22)).to.equal('silent')
    expect(await stranger.connect(server.v4, 22)).to.equal('silent')
  }

  /** Sends until the daemon says that it judged something of this address: of many that are alike it tells one in five seconds. */
  async function isJudged(send: () => Promise<void>, from: string): Promise<void> {
    const since = story.daemon.lines.length
    for (let triesLeft = 5; ; triesLeft--) {
      await send()
      try {
        await story.daemon.waitLine(new RegExp(`refused a knock from ${from} `), 6_000, since)
        return
      } catch (error) {
        if (triesLeft === 0) throw error
      }
    }
  }

  it('is not begun by a recorded KNOCK, whichever of 100 ports it comes from', async () => {
    const { stranger, client, server } = story
    await isJudged(async () => {
      for (let i = 0; i < 100; i++) await stranger.send(server.v4, KNOCK_PORT, [recorded.knock], 20_000 + i)
    }, stranger.v4)
    expect(await sentTo(stranger.v4)).to.deep.equal([])
    await isJudged(() => client.send(server.v4, KNOCK_PORT, [recorded.knock]), client.v4)
    expect(await sentTo(client.v4)).to.deep.equal([])
    await isShutForAll()
  })

  it('is not gone on with by a recorded RESPONSE, nor ended by a recorded CHALLENGE', async () => {
    const { stranger, client, server } = story
    const all = [recorded.response, recorded.challenge, recorded.knock, recorded.response]
    await isJudged(() => stranger.send(server.v4, KNOCK_PORT, all), stranger.v4)
    await isJudged(() => client.send(server.v4, KNOCK_PORT, all), client.v4)
    expect([await sentTo(stranger.v4), await sentTo(client.v4)]).to.deep.equal([[], []])
    await isShutForAll()
  })

  it('takes a RESPONSE once', async () => {
    const { client, server, letmein } = story
    const way = { from: client, to: server.v4, port: 21_000 }
    const response = responseTo(await challengeFor(knockMessage(), way, capture))
    await client.send(server.v4, KNOCK_PORT, [response], way.port)
    await answer(way, capture, 'COMEIN')
    expect(await client.connect(server.v4, 22)).to.equal('open')
    await letmein.must(client, 'revoke', '-U', server.v4, '22')
    await isJudged(() => client.send(server.v4, KNOCK_PORT, [response, response], way.port), client.v4)
    expect(answersTo(await capture.packets(), client.v4, way.port).map(operationOf)).to.deep.equal([
      'CHALLENGE',
      'COMEIN',
    ])
    await isShutForAll()
  })

  it('is gone on with only from the address and port that it was begun from', async () => {
    const { client, stranger, server } = story
    const way = { from: client, to: server.v4, port: 22_000 }
    const response = responseTo(await challengeFor(knockMessage(), way, capture))
    await stranger.send(server.v4, KNOCK_PORT, [response], way.port)
    await client.send(server.v4, KNOCK_PORT, [response], way.port + 1)
    await client.send(server.v6, KNOCK_PORT, [response], way.port)
    await client.send(server.v4, KNOCK_PORT, [guess(), guess()], way.port)
    expect(await sentTo(stranger.v4)).to.deep.equal([])
    await isShutForAll()
    // All of that has ended nothing.
    await client.send(server.v4, KNOCK_PORT, [response], way.port)
    await answer(way, capture, 'COMEIN')
    expect(answersTo(await capture.packets(), client.v4).map(operationOf)).to.deep.equal(['CHALLENGE', 'COMEIN'])
    expect(answersTo(await capture.packets(), client.v6)).to.deep.equal([])
    await story.letmein.must(client, 'revoke', '-U', server.v4, '22')
  })
})

describe('letmein’s exchange, while it is attacked,', () => {
  let story: LetmeinStory
  let recorded: Recording
  let capture: Capture
  before(async () => {
    story = await beginLetmein({ port, general: SOON })
    recorded = await record(story)
  })
  after(() => story.close())
  beforeEach(async () => {
    capture = await story.server.capture()
  })
  afterEach(() => capture.stop())

  /** What is done again and again, so many times a second, while the client knocks; `idle`: connections that say nothing. */
  const attacks: Record<string, { perSecond: number; by: 'client' | 'stranger'; attack(): Promise<unknown> }> = {
    'a recorded KNOCK from 100 ports of a stranger': {
      perSecond: 50,
      by: 'stranger',
      attack: () => story.stranger.send(story.server.v4, KNOCK_PORT, [recorded.knock], 30_000 + (++turn % 100)),
    },
    'KNOCKs of a known user with a wrong key': {
      perSecond: 20,
      by: 'stranger',
      attack: () => story.stranger.send(story.server.v4, KNOCK_PORT, [knockMessage({}, randomBytes(32))]),
    },
    'guesses at a challenge’s answer': {
      perSecond: 20,
      by: 'stranger',
      attack: () => story.stranger.send(story.server.v4, KNOCK_PORT, [guess()]),
    },
    'its own recorded KNOCK from its own address': {
      perSecond: 8,
      by: 'client',
      attack: () => story.client.send(story.server.v4, KNOCK_PORT, [recorded.knock], 31_000 + (++turn % 100)),
    },
    'idle TCP connections from its own address': {
      perSecond: 8,
      by: 'client',
      attack: () => story.client.hold(story.server.v4, KNOCK_PORT),
    },
    'idle TCP connections of a stranger': {
      perSecond: 50,
      by: 'stranger',
      attack: () => story.stranger.hold(story.server.v4, KNOCK_PORT),
    },
  }
  let turn = 0

  for (const [name, { perSecond, by, attack }] of Object.entries(attacks))
    it(`succeeds ${EXCHANGES} times of ${EXCHANGES} under ${name}, ${perSecond} a second`, async () => {
      const { client, server, letmein } = story
      let isOver = false
      const attacking = (async () => {
        const began = performance.now()
        for (let due = began; !isOver && due - began < 12_000; ) {
          // One that fails is none.
          await attack().catch(() => {})
          // What a standstill left out is not made up for: that would be another attack.
          due = Math.max(due + 1000 / perSecond, performance.now())
          await pause(due - performance.now())
        }
      })()
      const failures: string[] = []
      try {
        // So long letmeind takes to be full.
        await pause(1_500)
        for (let i = 0; i < EXCHANGES; i++) {
          const flag = i % 2 === 0 ? '-U' : '-T'
          const { status, stderr } = await letmein.run(client, i % 4 < 2 ? 'knock' : 'revoke', flag, server.v4, '22')
          if (status !== 0) failures.push(`${i} ${flag}: ${stderr}`)
          await pause(100)
        }
      } finally {
        isOver = true
        await attacking
      }
      expect(failures).to.deep.equal([])
      if (by === 'client') return
      const words = (await capture.sent()).filter(({ destination }) => destination === story.stranger.v4)
      // A TCP port answers SYNs; no segment of it has anything in it.
      expect(words.filter((packet) => packet.kind !== 'tcp').map(String)).to.deep.equal([])
      expect(words.filter(({ payload }) => payload.length > (payload[12]! >> 4) * 4).map(String)).to.deep.equal([])
    }).timeout(30_000)
})

describe('letmeind, under its own client’s recorded KNOCK from its own address, 8 a second,', () => {
  let story: LetmeinStory
  before(async () => {
    story = await beginLetmein({ port, general: SOON })
  })
  after(() => story.close())

  it('locks that client out: the attack is one', async () => {
    const { client, server, letmein, daemon } = story
    const { knock } = await record(story)
    await daemon.stop()
    await server.must(['nft', 'flush', 'chain', 'inet', 'filter', 'LETMEIN-INPUT'])
    await LetmeinServer.start(story, { config: letmeindFile([SSH], { port }) })
    let isOver = false
    const attacking = (async () => {
      for (let i = 0; i < 80 && !isOver; i++) {
        await client.send(server.v4, KNOCK_PORT, [knock])
        await pause(125)
      }
    })()
    await pause(2_000)
    const statuses: (number | undefined)[] = []
    for (let i = 0; i < 3; i++) statuses.push((await letmein.run(client, 'knock', '-U', server.v4, '22')).status)
    isOver = true
    await attacking
    expect(statuses).to.include(1)
  })
})
