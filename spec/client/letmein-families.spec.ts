import { expect } from 'chai'
import { clientSystem as system } from '../../lib/client/client-system.js'
import { performLetmein } from '../../lib/client/letmein.js'
import type { Family } from '../../lib/wire/address.js'
import { ask, bothFamilies, errandTo, V4 } from './letmein-errand.js'
import { type Behaviour, FakeServer, messageOf, RESOURCE } from './letmein-server.js'

describe('letmein’s exchange at a name with both families', () => {
  const servers: FakeServer[] = []
  const start = async (family: Family, behaviour: Behaviour = {}, port = servers[0]?.port ?? 0) => {
    const server = await FakeServer.start('udp', family, behaviour, port)
    servers.push(server)
    return server
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })
  const gate = { host: 'gate.example.org', timeoutMs: 60_000 }
  const DEAD: Behaviour = { answers: () => [] }

  it('is held with both at the same time', async () => {
    const [four, six] = [await start(4), await start(6)]
    const { said } = await ask(errandTo(four, gate), bothFamilies)
    expect(said.map(({ end, to }) => `${to.family} ${end}`).sort()).to.deep.equal(['4 comein', '6 comein'])
    expect(six.operations).to.deep.equal(['KNOCK', 'RESPONSE'])
  })

  for (const [dead, alive] of [
    [6, 4],
    [4, 6],
  ] as const) {
    it(`does not wait for an IPv${dead} that is dead`, async () => {
      const server = await start(alive)
      await start(dead, DEAD)
      const { said, isIn } = await ask(errandTo(server, gate), bothFamilies)
      expect(isIn).to.equal(true)
      expect(said.find(({ to }) => to.family === dead)).to.include({ end: 'left' })
    })

    it(`waits for it where both are wanted`, async () => {
      const server = await start(alive)
      await start(dead, DEAD)
      const wanted = { ...gate, timeoutMs: 300, isEveryFamilyWanted: true }
      const { said, isIn } = await ask(errandTo(server, wanted), bothFamilies)
      expect(isIn).to.equal(false)
      expect(said.find(({ to }) => to.family === dead)).to.include({ end: 'timeout', knocks: 3 })
    })
  }

  it('waits for one that is slower but there', async () => {
    const four = await start(4)
    await start(6, { delayMs: ({ operation }) => (operation === 'RESPONSE' ? 300 : 0) })
    const { said } = await ask(errandTo(four, gate), bothFamilies)
    expect(said.map(({ end, to }) => `${to.family} ${end}`)).to.deep.equal(['4 comein', '6 comein'])
  })

  it('is good where one family says GOAWAY and the other COMEIN, unless both are wanted', async () => {
    const four = await start(4)
    await start(6, { answers: () => [messageOf('GOAWAY')] })
    expect((await ask(errandTo(four, gate), bothFamilies)).isIn).to.equal(true)
    expect((await ask(errandTo(four, { ...gate, isEveryFamilyWanted: true }), bothFamilies)).isIn).to.equal(false)
  })

  it('does not wait for a look-up that hangs, once it is in', async () => {
    const four = await start(4)
    const outside = {
      ...system,
      lookup: (_: string, family: Family) => (family === 4 ? Promise.resolve([V4]) : new Promise<string[]>(() => {})),
    }
    expect((await ask(errandTo(four, gate), outside)).isIn).to.equal(true)
  })

  it('says so where the name has no address', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))
    const error = await ask(errandTo({ port: 9 }, gate), { ...system, lookup }).catch((thrown: unknown) => thrown)
    expect(error).to.include({ name: 'KnockError', code: 'resolve' })
    expect((error as Error).message).to.match(/^gate.example.org: no address found \(ENOTFOUND\)/)
  })

  it('is not for a literal address where both families are wanted', async () => {
    const errand = errandTo({ port: 9 }, { isEveryFamilyWanted: true })
    const error = await ask(errand).catch((thrown: unknown) => thrown)
    expect(error).to.include({ name: 'KnockError', code: 'option' })
  })

  it('ends when it is told to', async () => {
    const four = await start(4, DEAD)
    const end = new AbortController()
    setTimeout(() => end.abort(), 20)
    const { answers } = await performLetmein(errandTo(four, { timeoutMs: 60_000 }), system, end.signal)
    expect(answers.get(RESOURCE)![0]).to.include({ end: 'left' })
  })
})
