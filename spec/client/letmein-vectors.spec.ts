import { expect } from 'chai'
import { poll } from '../support/poll.js'
import vectors from '../vectors/letmein.json' with { type: 'json' }
import { ask, errandTo } from './letmein-errand.js'
import { FakeServer, RESOURCE } from './letmein-server.js'

describe('letmein’s exchange, against the recorded servers', () => {
  let server: FakeServer
  afterEach(() => server.close())

  for (const vector of vectors.client_side) {
    it(`after: ${vector.name}`, async () => {
      const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
      let step = 0
      const port = new Set<number>()
      server = await FakeServer.start('udp', 4, {
        // Only the first exchange is the vector's: letmein has no second one.
        answers: ({ sourcePort }) => {
          port.add(sourcePort)
          return port.size > 1 ? [] : (vector.server_answers[step++] ?? []).map(hex)
        },
      })
      const { isIn } = await ask(errandTo(server, { user: 0xa11c, resources: [RESOURCE], timeoutMs: 250 }))
      expect(isIn).to.equal(vector.client_exit_status === 0)
      const sent = () => server.arrivals.filter(({ sourcePort }) => sourcePort === server.arrivals[0]!.sourcePort)
      await poll('all that was sent has arrived', () => sent().length >= vector.client_sent.length)
      expect(sent().map(({ operation }) => operation)).to.deep.equal(vector.client_sent)
    })
  }
})
