/**
 * Answers leave from the address that was knocked, whichever the kernel would have chosen (letmeind's do not).
 *
 *     client ──────────── to-client  server                         to-stranger ──── stranger
 *     198.19.0.7             198.19.0.1, 198.19.0.2 (secondary)
 *     fd19::7                fd19::1 (older), fd19::2
 *     fe80::2                fe80::1                                fe80::1          fe80::2
 */
import { expect } from 'chai'
import { KNOCK_PORT } from '../support/installation.js'
import { answer, challengeFor, knockMessage, responseTo } from '../support/letmein-exchange.js'
import { beginLetmein, type LetmeinStory } from '../support/letmein-story.js'

const ADDRESSES = {
  server: [
    'addr add 198.19.0.1/24 dev to-client',
    'addr add 198.19.0.2/24 dev to-client',
    '-6 addr add fd19::1/64 dev to-client nodad',
    '-6 addr add fd19::2/64 dev to-client nodad',
    '-6 addr add fe80::1/64 dev to-client nodad',
    '-6 addr add fe80::1/64 dev to-stranger nodad',
  ],
  client: [
    'addr add 198.19.0.7/24 dev to-server',
    '-6 addr add fd19::7/64 dev to-server nodad',
    '-6 addr add fe80::2/64 dev to-server nodad',
  ],
  stranger: ['-6 addr add fe80::2/64 dev to-server nodad'],
} as const

describe('a server with several addresses', () => {
  let story: LetmeinStory
  before(async () => {
    story = await beginLetmein({ port: '5800 / tcp,udp', general: ['control-timeout = 0.5'] })
    for (const host of ['server', 'client', 'stranger'] as const)
      for (const words of ADDRESSES[host]) await story[host].must(['ip', ...words.split(' ')])
  })
  after(() => story.close())

  for (const flag of ['-U', '-T'])
    for (const address of ['198.19.0.1', '198.19.0.2', 'fd19::1', 'fd19::2'])
      it(`is opened by a letmein client at ${address} with ${flag}`, async () => {
        const { client, letmein } = story
        await letmein.must(client, 'knock', flag, address, '22')
        expect(await client.connect(address, 22)).to.equal('open')
        await letmein.must(client, 'revoke', flag, address, '22')
      })

  // The real client cannot be told an interface.
  for (const [i, host] of (['client', 'stranger'] as const).entries())
    it(`answers the ${host} behind a link-local address that both links have`, async () => {
      const from = story[host]
      const capture = await from.capture()
      const way = { from, source: 'fe80::2', to: 'fe80::1%to-server', port: 40_001 + i }
      const challenge = await challengeFor(knockMessage(), way, capture)
      await from.send(way.to, KNOCK_PORT, [responseTo(challenge)], way.port)
      await answer(way, capture, 'COMEIN')
      expect(await from.connect(way.to, 22)).to.equal('open')
      capture.stop()
    })
})
