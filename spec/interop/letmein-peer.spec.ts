/**
 * The real letmein against itself, in the laboratory: the ground on which the other specs of its exchange stand.
 *
 *     client: letmein ── server: letmeind, letmeinfwd, chains that drop, services on 22 and 53 ── stranger
 */
import { expect } from 'chai'
import { loadClientConfig, loadServerConfig } from '../../lib/config/files.js'
import { KEY, KNOCK_PORT, USER } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import { CHAIN, LetmeinClient, LetmeinServer, letmeindFile, letmeinFile, RULESET } from '../support/letmein-peer.js'

const RESOURCES = ['00000001 = port: 22 / timeout: 30', '00000002 = port: 53 / tcp,udp / users: 0000000B']
const CONTROL_PORT = `udp dport ${KNOCK_PORT} accept comment "any/port/${KNOCK_PORT}/UDP/accept/LETMEIN"`
const GIVEN_UP = /RX communication with peer timed out/
const REFUSED = /The server rejected the request/

describe('the real letmein', () => {
  let lab: Lab
  let server: LetmeinServer
  let letmein: LetmeinClient
  before(async () => {
    lab = await openLab()
    for (const port of [22, 53]) await lab.server.echo(port)
    server = await LetmeinServer.start(lab, { config: letmeindFile(RESOURCES), ruleset: RULESET })
    letmein = new LetmeinClient(lab, letmeinFile(RESOURCES, { general: ['control-timeout = 0.3'] }))
  })
  after(() => lab.close())

  it('is version 12.6.2, all three programs of it', async () => {
    for (const program of ['letmein', 'letmeind', 'letmeinfwd']) {
      expect(await lab.server.must([program, '--version'])).to.match(/version 12\.6\.2$/m)
    }
  })

  for (const family of ['v4', 'v6'] as const) {
    it(`opens a port for a client over IP${family}, for nobody else, and revokes it`, async () => {
      const { client, stranger } = lab
      const address = lab.server[family]
      expect(await client.connect(address, 22)).to.equal('silent')

      await letmein.must(client, 'knock', address, '22')

      const [from, seen] = family === 'v4' ? ['ip', `::ffff:${client.v4}`] : ['ip6', client.v6]
      const lease = `${from} saddr ${client[family]} tcp dport 22 accept comment "${seen}/port/22/TCP/accept/LETMEIN"`
      expect(await server.rules()).to.deep.equal([CONTROL_PORT, lease])
      expect(await client.connect(address, 22)).to.equal('open')
      expect(await stranger.connect(address, 22)).to.equal('silent')
      await server.daemon.waitLine(/Resource 00000001 successfully knocked\./)

      await letmein.must(client, 'revoke', address, '22')

      expect(await server.rules()).to.deep.equal([CONTROL_PORT])
      expect(await client.connect(address, 22)).to.equal('silent')
      await server.daemon.waitLine(/Resource 00000001 successfully revoked\./)
    })
  }

  it('says nothing to one without the key, whose client gives up', async () => {
    const other = letmeinFile(RESOURCES, { general: ['control-timeout = 0.3'] }).replace(KEY, '5A'.repeat(32))
    const capture = await lab.server.capture()
    const { status, stderr } = await new LetmeinClient(lab, other).run(lab.stranger, 'knock', lab.server.v4, '22')
    expect(status).to.equal(1)
    expect(stderr).to.match(GIVEN_UP)
    expect((await capture.sent()).map(String)).to.deep.equal([])
    await server.daemon.waitLine(/Knock: Authentication failed/)
  })

  it('refuses a user what is another’s', async () => {
    const { status, stderr } = await letmein.run(lab.client, 'knock', '-r', '2', lab.server.v4)
    expect(status).to.equal(1)
    expect(stderr).to.match(REFUSED)
    await server.daemon.waitLine(new RegExp(`Resource 00000002 not allowed for user ${USER}`))
  })

  it('is started with a file that postern reads as it is', () => {
    const { letmein: heard, firewall, users, resources } = loadServerConfig(server.configFile)
    expect(heard).to.deep.include({ ports: { udp: [KNOCK_PORT], tcp: [] }, errorPolicy: 'basic-auth' })
    expect(firewall).to.deep.include({ mode: 'chain', chain: { family: 'inet', table: 'filter', input: CHAIN } })
    expect([...users]).to.deep.equal([[0xa, new Uint8Array(Buffer.from(KEY, 'hex'))]])
    expect(resources.get(1)).to.deep.include({
      target: { kind: 'ports', ports: [{ first: 22, last: 22 }], protocols: ['tcp'] },
      timeoutMs: 30_000,
    })
    expect(resources.get(2)).to.deep.include({
      target: { kind: 'ports', ports: [{ first: 53, last: 53 }], protocols: ['tcp', 'udp'] },
      users: [0xb],
    })
  })

  it('knocks with a file that postern reads as it is', () => {
    const config = loadClientConfig(letmein.configFile)
    expect(config).to.deep.include({ defaultUser: 0xa, controlTimeoutMs: 300, errorPolicy: 'basic-auth' })
    expect(config.port).to.deep.equal({ udp: KNOCK_PORT, protocols: ['udp'] })
    expect([...config.resources.keys()]).to.deep.equal([1, 2])
  })

  it('ends at SIGTERM with status 0 and takes its rules along', async () => {
    await letmein.must(lab.client, 'knock', lab.server.v4, '22')
    const exit = { status: 0, signal: null }
    expect(await server.stop()).to.deep.equal([exit, exit])
    expect(await server.rules()).to.deep.equal([])
  })
})

describe('the real letmein over TCP', () => {
  let lab: Lab
  before(async () => {
    lab = await openLab()
    await lab.server.echo(22)
  })
  after(() => lab.close())

  it('opens the port as over UDP', async () => {
    const choices = { port: `${KNOCK_PORT} / tcp,udp` }
    const server = await LetmeinServer.start(lab, { config: letmeindFile(RESOURCES, choices), ruleset: RULESET })
    const letmein = new LetmeinClient(lab, letmeinFile(RESOURCES, choices))
    for (const protocol of ['-T', '-U']) {
      await letmein.must(lab.client, 'knock', protocol, lab.server.v4, '22')
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('open')
      await letmein.must(lab.client, 'revoke', protocol, lab.server.v4, '22')
      expect(await lab.client.connect(lab.server.v4, 22)).to.equal('silent')
    }
    expect(await server.rules()).to.have.length(2)
    await server.stop()
  })

  it('says what a program said that ended before it was ready', async () => {
    const config = letmeindFile(RESOURCES).replace(CHAIN, 'NO-SUCH-CHAIN')
    const message = await LetmeinServer.start(lab, { config }).then(
      () => 'started',
      (error: Error) => error.message,
    )
    expect(message).to.match(/^letmein ended: .*No such file or directory/s)
  })
})
