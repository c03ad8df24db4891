import { expect } from 'chai'
import { type Errand, type Outside, perform, system } from '../../lib/client/perform.js'
import type { Destination } from '../../lib/client/resolve.js'
import type { Outgoing } from '../../lib/client/send.js'
import { type Knock, open } from '../../lib/wire/spa.js'
import { deriveKey } from '../../lib/wire/spa-keys.js'
import { Listener } from './listener.js'

const identity = { user: 1, key: new Uint8Array(32).fill(3), realm: 'gate' }
const sealKey = deriveKey(identity.key, 'gate', 'seal')

const errand: Errand = {
  host: 'gate.example.org',
  families: [4, 6],
  identity,
  wishes: [{ operation: 'open', resource: 0x22, lifetimeSeconds: 0, instant: 'no' }],
  controlPort: 5800,
  tries: 1,
}

/** An outside where both families have an address, pauses take no time, every port is shut, and `sent` is what left. */
function outsideOf(changes: Partial<Outside> = {}) {
  const sent: Outgoing[] = []
  const outside: Outside = {
    ...system,
    lookup: async (_, family) => (family === 4 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1']),
    send: async (outgoing) => {
      sent.push(...outgoing)
      return outgoing.map((one) => ({ outgoing: one }))
    },
    pause: async () => {},
    probe: (_, __, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
    ...changes,
  }
  return { outside, sent }
}

const addressesOf = (sent: readonly Outgoing[]) => sent.map(({ to }) => to.address)
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('did not reject'),
    (error) => error,
  )

describe('a knock', () => {
  it('goes to every address of both families', async () => {
    const { outside, sent } = outsideOf()
    const { destinations } = await perform(errand, outside)
    expect(addressesOf(sent)).to.have.members(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
    expect(destinations).to.have.length(3)
    expect(sent.every(({ port }) => port === 5800)).to.equal(true)
  })

  it('is not held up by a look-up of the other family that hangs', async () => {
    let hang: (addresses: string[]) => void = () => {}
    let atFirstSend: number | undefined
    const { outside, sent } = outsideOf()
    const slow: Outside = {
      ...outside,
      lookup: (_, family) =>
        family === 4
          ? Promise.resolve(['192.0.2.1'])
          : new Promise((resolve) => {
              hang = resolve
            }),
      send: (outgoing) => {
        atFirstSend ??= sent.length
        setImmediate(() => hang(['2001:db8::1']))
        return outside.send(outgoing)
      },
    }
    await perform(errand, slow)
    expect(atFirstSend).to.equal(0)
    expect(addressesOf(sent)).to.deep.equal(['192.0.2.1', '2001:db8::1'])
  })

  it('is done when one family has no address', async () => {
    const { outside, sent } = outsideOf({
      lookup: async (_, family) => {
        if (family === 6) throw Object.assign(new Error(), { code: 'ENOTFOUND' })
        return ['192.0.2.1']
      },
    })
    await perform(errand, outside)
    expect(addressesOf(sent)).to.deep.equal(['192.0.2.1'])
  })

  it('fails with the reasons when no family has one', async () => {
    const { outside } = outsideOf({ lookup: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })) })
    const error = await rejection(perform(errand, outside))
    expect(error).to.include({ name: 'KnockError', code: 'resolve' })
    expect(error.message).to.match(/^gate.example.org: no address found \(ENOTFOUND\)/)
  })

  it('fails when nothing could be sent, and names each address and its error', async () => {
    const down = Object.assign(new Error(), { code: 'ENETUNREACH' })
    const { outside } = outsideOf({ send: async (all) => all.map((outgoing) => ({ outgoing, error: down })) })
    const error = await rejection(perform({ ...errand, families: [6] }, outside))
    expect(error).to.include({ name: 'KnockError', code: 'send' })
    expect(error.message).to.include('2001:db8::1: ENETUNREACH')
  })

  it('says so where a number does not fit, and is not taken for a failed look-up', async () => {
    const { outside } = outsideOf()
    const wishes = [{ ...errand.wishes[0]!, resource: -1 }]
    expect(await rejection(perform({ ...errand, wishes }, outside))).to.be.an.instanceOf(RangeError)
  })

  it('is repeated with fresh datagrams', async () => {
    const { outside, sent } = outsideOf()
    await perform({ ...errand, families: [6], tries: 4 }, outside)
    expect(new Set(sent.map(({ bytes }) => Buffer.from(bytes.subarray(0, 8)).toString('hex'))).size).to.equal(4)
  })

  it('goes to a random high port for each datagram where any is meant', async () => {
    const { outside, sent } = outsideOf()
    await perform({ ...errand, controlPort: 'any', tries: 100 }, outside)
    const ports = sent.map(({ port }) => port)
    expect(Math.min(...ports)).to.be.at.least(1024)
    expect(Math.max(...ports)).to.be.at.most(65_535)
    expect(new Set(ports).size).to.be.greaterThan(250)
  })

  it('asks for every resource at every address', async () => {
    const { outside, sent } = outsideOf()
    const wishes = [errand.wishes[0]!, { ...errand.wishes[0]!, resource: 0x23 }]
    await perform({ ...errand, wishes }, outside)
    const asked = sent.map(({ to, bytes }) => `${to.address} ${(open(bytes, sealKey) as Knock).resource}`)
    expect(new Set(asked).size).to.equal(6)
  })

  it('over real sockets opens under the right key in both families', async () => {
    const four = await Listener.on(4)
    const six = await Listener.on(6, four.port)
    const outside: Outside = { ...system, lookup: async (_, family) => [family === 4 ? '127.0.0.1' : '::1'] }
    await perform({ ...errand, controlPort: four.port }, outside)
    await Promise.all([four.hasHeard(1), six.hasHeard(1)])
    for (const { heard } of [four, six]) {
      expect(open(heard[0]!, sealKey)).to.include({ user: 1, resource: 0x22, operation: 'open' })
    }
    four.close()
    six.close()
  })
})

describe('a knock that waits', () => {
  const opensAt = (address: string) => async (found: readonly Destination[], _: number, signal: AbortSignal) => {
    const to = found.find((one) => one.address === address)
    if (to) return to
    return new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
  }
  const waiting: Errand = { ...errand, wait: { ports: [22], timeoutMs: 60_000 } }

  it('says at which address the port is open', async () => {
    const { outside } = outsideOf({ probe: opensAt('2001:db8::1') })
    const { opened } = await perform(waiting, outside)
    expect(opened.get(22)?.to).to.deep.equal({ address: '2001:db8::1', family: 6 })
  })

  it('does not wait for a look-up that hangs once the port is open', async () => {
    const { outside } = outsideOf({
      lookup: (_, family) => (family === 4 ? Promise.resolve(['192.0.2.1']) : new Promise(() => {})),
      probe: opensAt('192.0.2.1'),
    })
    expect((await perform(waiting, outside)).opened.size).to.equal(1)
  })

  it('sends no second time when the port is open', async () => {
    const { outside, sent } = outsideOf({ probe: opensAt('192.0.2.1'), pause: () => new Promise(() => {}) })
    await perform({ ...waiting, families: [4], tries: 3 }, outside)
    expect(sent).to.have.length(2)
  })

  it('is over, with what is open by then, when its time is', async () => {
    const { outside, sent } = outsideOf()
    const outcome = await perform({ ...waiting, tries: 3, wait: { ports: [22], timeoutMs: 20 } }, outside)
    expect(outcome.opened.size).to.equal(0)
    expect(sent.length).to.be.within(3, 9)
  })

  it('waits for every port', async () => {
    const { outside } = outsideOf({
      probe: (found, port, signal) => opensAt(port === 22 ? '192.0.2.1' : 'none')(found, port, signal),
    })
    const outcome = await perform({ ...errand, wait: { ports: [22, 23], timeoutMs: 20 } }, outside)
    expect([...outcome.opened.keys()]).to.deep.equal([22])
  })

  it('ends its probing when nothing could be sent', async () => {
    let ended = false
    const { outside } = outsideOf({
      send: async (all) => all.map((outgoing) => ({ outgoing, error: new Error('down') })),
      probe: (_, __, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            ended = true
            resolve(undefined)
          })
        }),
    })
    expect(await rejection(perform(waiting, outside))).to.include({ code: 'send' })
    expect(ended).to.equal(true)
  })
})

describe('a knock that names the address it leaves from', () => {
  const knock = async (sources: Record<string, string | undefined>) => {
    const { outside, sent } = outsideOf({ ownAddress: async ({ address }) => sources[address] })
    const { unnamed } = await perform({ ...errand, namesSource: true }, outside)
    const named = sent.map(({ bytes, to }) => [to.address, (open(bytes, sealKey) as Knock).address])
    return { named: Object.fromEntries(named), unnamed }
  }

  it('names that of each family, and of each route', async () => {
    const { named, unnamed } = await knock({
      '192.0.2.1': '8.8.4.4',
      '192.0.2.2': '9.9.9.9',
      '2001:db8::1': '2a00:1::7',
    })
    expect(named).to.deep.equal({ '192.0.2.1': '8.8.4.4', '192.0.2.2': '9.9.9.9', '2001:db8::1': '2a00:1::7' })
    expect(unnamed).to.deep.equal([])
  })

  it('names none that a translator on the way replaces, nor where there is no way, and tells so', async () => {
    const { named, unnamed } = await knock({ '192.0.2.1': '192.168.1.50', '2001:db8::1': '2a00:1::7' })
    expect(named).to.deep.equal({ '192.0.2.1': undefined, '192.0.2.2': undefined, '2001:db8::1': '2a00:1::7' })
    expect(unnamed).to.deep.equal([
      { to: { address: '192.0.2.1', family: 4 }, source: '192.168.1.50' },
      { to: { address: '192.0.2.2', family: 4 } },
    ])
  })
})
