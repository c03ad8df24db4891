/**
 *     client 44.0.0.2, 2a00:44::2 ──── 44.0.0.1, 2a00:44::1 server: posternd, a service on 22
 *     and the laboratory's addresses, which are nobody's in the world outside: 198.18.1.2, fd18:1::2
 */
import { expect } from 'chai'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const SERVER = { v4: '44.0.0.1', v6: '2a00:44::1' }
const CLIENT = { v4: '44.0.0.2', v6: '2a00:44::2' }

describe('--address auto', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin({ resources: ['00000001 = port: 22 / timeout: 30 / require-address: yes'] })
    const { client, server } = story
    const address = (words: string) => ['ip', 'address', 'add', ...words.split(' ')]
    await server.must(address(`${SERVER.v4} peer ${CLIENT.v4} dev to-client`))
    await client.must(address(`${CLIENT.v4} peer ${SERVER.v4} dev to-server`))
    await server.must(address(`${SERVER.v6} peer ${CLIENT.v6} dev to-client nodad`))
    await client.must(address(`${CLIENT.v6} peer ${SERVER.v6} dev to-server nodad`))
  })
  afterEach(() => story.close())

  for (const family of ['v4', 'v6'] as const) {
    it(`names the address that this machine has towards the host, over IP${family}`, async () => {
      const { client, postern, daemon } = story
      await postern.knock(client, SERVER[family], '22')
      await daemon!.waitLine(/refused a knock .* wants the address inside the knock/)
      expect(await client.connect(SERVER[family], 22)).to.equal('refused')
      const { status, stdout, stderr } = await postern.postern(
        client,
        'knock',
        '--address',
        'auto',
        SERVER[family],
        '22',
      )
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(stdout).to.match(/^knocked for port 22 at /)
      await becomesOpen(client, SERVER[family])
      expect((await postern.status()).leases.map(({ address }) => address)).to.deep.equal([CLIENT[family]])
    })
  }

  it('names none that others may not see, and says so; the server judges by what it sees', async () => {
    const { client, postern, daemon, server } = story
    const { status, stderr } = await postern.postern(client, 'knock', '--address', 'auto', server.v4, '22')
    expect(status).to.equal(0)
    expect(stderr).to.match(
      /^postern: warning: --address auto: .* towards 198\.18\.0\.1 is 198\.18\.1\.2, which others may not see/,
    )
    await daemon!.waitLine(/refused a knock .* wants the address inside the knock/)
  })

  it('does so in keepalive, too', async () => {
    const { client, postern } = story
    const words = ['keepalive', '--once', '--address', 'auto', SERVER.v4, '22']
    expect(await postern.postern(client, ...words)).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    await becomesOpen(client, SERVER.v4)
  })
})

describe('a host with addresses of both families', () => {
  let story: Story
  before(async () => {
    nameServer()
    story = await begin({ resources: ['00000001 = port: 22 / timeout: 30'] })
  })
  after(() => story.close())

  it('is open over both after one knock, whichever the connection takes', async () => {
    const { client, server, postern } = story
    await postern.knock(client, SERVER_NAME, '22')
    await becomesOpen(client, server.v4)
    await becomesOpen(client, server.v6)
    const leases = (await postern.status()).leases.map(({ address }) => address)
    expect(leases).to.have.members([client.v4, client.v6])
  })

  it('is knocked at over the one that this machine has, and it is said which one failed', async () => {
    const { client, server, postern } = story
    await postern.postern(client, 'revoke', SERVER_NAME, '22')
    await client.must(['ip', '-6', 'address', 'flush', 'dev', 'to-server'])
    const { status, stdout } = await postern.postern(client, 'knock', SERVER_NAME, '22')
    expect(status).to.equal(0)
    expect(stdout).to.match(new RegExp(`not ${server.v6}: (ENETUNREACH|EADDRNOTAVAIL|EACCES)`))
    await becomesOpen(client, server.v4)
  })
})
