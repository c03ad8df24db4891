import { createSocket } from 'node:dgram'
import { expect } from 'chai'
import { clientSystem as system } from '../../lib/client/client-system.js'
import { isLetIn, performLetmein } from '../../lib/client/letmein.js'
import type { Dial } from '../../lib/client/letmein-line.js'
import type { Family } from '../../lib/wire/address.js'
import { authOf, decode, type Message } from '../../lib/wire/letmein.js'
import { ask, errandTo, V4 } from './letmein-errand.js'
import { type Behaviour, FakeServer, KEY, messageOf, RESOURCE, USER } from './letmein-server.js'

describe('letmein’s exchange over UDP', () => {
  let server: FakeServer
  const start = async (behaviour: Behaviour = {}, family: Family = 4, port = 0) => {
    server = await FakeServer.start('udp', family, behaviour, port)
    return server
  }
  afterEach(() => server.close())

  it('is KNOCK and RESPONSE, signed, from one port, and COMEIN', async () => {
    await start()
    const { first, isIn } = await ask(errandTo(server))
    expect(isIn).to.equal(true)
    expect(first).to.include({ end: 'comein', step: 'RESPONSE', knocks: 1 })
    expect(server.operations).to.deep.equal(['KNOCK', 'RESPONSE'])
    expect(new Set(server.arrivals.map(({ sourcePort }) => sourcePort)).size).to.equal(1)
    const knock = decode(server.arrivals[0]!.bytes) as Message
    expect(knock).to.include({ user: USER, resource: RESOURCE })
    expect(Buffer.from(knock.auth)).to.deep.equal(Buffer.from(authOf(KEY, knock, new Uint8Array(32))))
  })

  it('revokes', async () => {
    await start()
    expect((await ask(errandTo(server, { operation: 'REVOKE' }))).isIn).to.equal(true)
    expect(server.operations).to.deep.equal(['REVOKE', 'RESPONSE'])
  })

  for (const lost of ['KNOCK', 'CHALLENGE', 'RESPONSE', 'COMEIN'] as const) {
    it(`gets in although the first ${lost} is lost, by a fresh KNOCK from a fresh port`, async () => {
      await start({ loses: (operation, nth) => operation === lost && nth === 1 })
      const { first, isIn } = await ask(errandTo(server))
      expect(isIn).to.equal(true)
      expect(first.knocks).to.equal(2)
      const knocks = server.arrivals.filter(({ operation }) => operation === 'KNOCK')
      expect(new Set(knocks.map(({ sourcePort }) => sourcePort)).size).to.equal(knocks.length)
      expect(new Set(knocks.map(({ bytes }) => Buffer.from(bytes.subarray(16, 24)).toString('hex'))).size).to.equal(
        knocks.length,
      )
    })

    it(`and although two of them are`, async () => {
      await start({ loses: (operation, nth) => operation === lost && nth <= 2 })
      expect((await ask(errandTo(server))).isIn).to.equal(true)
    })
  }

  it('gives up when letmein would have, with no more than three KNOCKs', async () => {
    await start({ answers: () => [] })
    const { first, isIn } = await ask(errandTo(server))
    expect(isIn).to.equal(false)
    expect(first).to.include({ end: 'timeout', step: 'KNOCK', knocks: 3 })
    expect(server.operations).to.deep.equal(['KNOCK', 'KNOCK', 'KNOCK'])
  })

  it('takes no more than five places of the server’s when COMEIN never comes', async () => {
    await start({ loses: (operation, nth) => operation === 'COMEIN' || (operation === 'CHALLENGE' && nth <= 2) })
    const { first } = await ask(errandTo(server))
    expect(first).to.include({ end: 'timeout', step: 'RESPONSE', knocks: 5 })
  })

  it('does not disturb a server that has sent its CHALLENGE and takes its time', async () => {
    await start({ delayMs: ({ operation }) => (operation === 'RESPONSE' ? 300 : 0) })
    const { first } = await ask(errandTo(server, { timeoutMs: 5000 }))
    expect(first).to.include({ end: 'comein', knocks: 1 })
    expect(server.operations).to.deep.equal(['KNOCK', 'RESPONSE'])
  })

  it('gives a server that is far away two round trips', async () => {
    await start({ delayMs: () => 70 })
    const { first } = await ask(errandTo(server, { timeoutMs: 400 }))
    expect(first).to.include({ end: 'comein', knocks: 1 })
  })

  it('is not over when a stranger says GOAWAY from another address or port', async () => {
    const stranger = createSocket('udp4')
    await start({
      answers: ({ operation, sourcePort }) => {
        stranger.send(messageOf('GOAWAY'), sourcePort, V4)
        return [messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'COMEIN')]
      },
    })
    expect((await ask(errandTo(server))).isIn).to.equal(true)
    stranger.close()
  })

  it('takes a datagram that the network doubled for one', async () => {
    const twice = (bytes: Uint8Array) => [bytes, bytes]
    await start({ answers: ({ operation }) => twice(messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'COMEIN')) })
    expect((await ask(errandTo(server))).first).to.include({ end: 'comein', knocks: 1 })
  })

  it('ends at once with GOAWAY, and says after which message', async () => {
    await start({ answers: () => [messageOf('GOAWAY', { user: 0xffffffff, resource: 0xffffffff })] })
    const { first } = await ask(errandTo(server, { timeoutMs: 60_000 }))
    expect(first).to.include({ end: 'goaway', step: 'KNOCK', knocks: 1 })
    server.close()
    await start({ answers: ({ operation }) => [messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'GOAWAY')] })
    expect((await ask(errandTo(server, { timeoutMs: 60_000 }))).first).to.include({ end: 'goaway', step: 'RESPONSE' })
  })

  it('waits for COMEIN where a repetition is refused', async () => {
    let knocks = 0
    await start({
      answers: ({ operation }) => {
        if (operation === 'RESPONSE') return [messageOf('COMEIN')]
        return [messageOf(++knocks === 1 ? 'CHALLENGE' : 'GOAWAY')]
      },
      delayMs: ({ operation }) => (operation === 'RESPONSE' ? 300 : 0),
    })
    const { first } = await ask(errandTo(server, { timeoutMs: 1000 }))
    expect(first).to.include({ end: 'comein', knocks: 2 })
  })

  it('hears of a closed port by ICMP and does not wait for the end of time', async () => {
    const closed = await start()
    closed.close()
    const { first } = await ask(errandTo(closed, { timeoutMs: 10_000 }))
    expect(first).to.include({ end: 'refused', detail: 'ECONNREFUSED', step: 'KNOCK', knocks: 1 })
    await start()
  })

  it('goes on after an ICMP message where a CHALLENGE comes behind it, as of a posternd that binds nothing', async () => {
    await start()
    const dial: Dial = (to, port, events) =>
      system.dial.udp(to, port, {
        ...events,
        up: () => {
          events.broken('refused', 'ECONNREFUSED', false)
          events.up()
        },
      })
    const { first } = await ask(errandTo(server), { ...system, dial: { ...system.dial, udp: dial } })
    expect(first).to.include({ end: 'comein', knocks: 1 })
  })

  it('names what has no way there', async () => {
    await start()
    const { first } = await ask(errandTo(server, { host: '255.255.255.255', timeoutMs: 10_000 }))
    expect(first).to.include({ end: 'unreachable', step: 'connect', knocks: 0 })
  })

  it('warns of other ids and goes on, as letmein does', async () => {
    await start({
      answers: ({ operation }) => [messageOf(operation === 'KNOCK' ? 'CHALLENGE' : 'COMEIN', { resource: 1 })],
    })
    const { first } = await ask(errandTo(server))
    expect(first.end).to.equal('comein')
    expect(first.warnings).to.deep.equal([
      "the server's CHALLENGE names resource 00000001: expected 00000022",
      "the server's COMEIN names resource 00000001: expected 00000022",
    ])
  })

  it('takes a random high port for each KNOCK where any is meant', async () => {
    const ports: number[] = []
    const dial: Dial = (_, port) => {
      ports.push(port)
      return { send: () => {}, close: () => {} }
    }
    await start()
    await ask(errandTo(server, { controlPort: 'any', timeoutMs: 50 }), {
      ...system,
      dial: { ...system.dial, udp: dial },
    })
    expect(ports).to.have.length(3)
    expect(new Set(ports).size).to.be.greaterThan(1)
    expect(Math.min(...ports)).to.be.at.least(1024)
  })

  it('asks for several resources, four at a time at most', async () => {
    let now = 0
    let most = 0
    const dial: Dial = (to, port, events) => {
      most = Math.max(most, ++now)
      const line = system.dial.udp(to, port, events)
      return {
        send: line.send,
        close: () => {
          now--
          line.close()
        },
      }
    }
    await start()
    const resources = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    const errand = errandTo(server, { resources })
    const { answers } = await performLetmein(errand, { ...system, dial: { ...system.dial, udp: dial } })
    expect([...answers.keys()]).to.deep.equal(resources)
    expect(resources.every((resource) => isLetIn(answers.get(resource), errand))).to.equal(true)
    expect(most).to.equal(4)
  })
})
