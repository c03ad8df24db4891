/**
 * The real fwknop client knocks at posternd, which reads fwknop's own access.conf.
 *
 *     client: fwknop ── server: posternd with an access.conf, services on 22 and 23 ── stranger
 */
import { expect } from 'chai'
import { accessFile, FWKNOP_PORT, fwknop, KEYS } from '../support/fwknop-peer.js'
import { beginFwknop, type FwknopStory, nextSecond } from '../support/fwknop-story.js'
import { KNOCK_PORT } from '../support/installation.js'
import type { Namespace } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { becomesOpen, becomesShut, datagramsOf, withinLease } from '../support/story.js'

const SECONDS = 2
/** Alive until it is revoked, however long this machine stands still. */
const LONG = { more: ['-f', '60'] }

/** Waits until port 22 is shut; how long that took, ms. Only a least time can be told from it: this process may be late. */
async function openFor(host: Namespace, address: string, since = performance.now()): Promise<number> {
  await poll('port 22 shuts', async () => (await host.connect(address, 22, 20)) !== 'open', { every: 1 })
  return performance.now() - since
}

for (const [mode, chain, shut] of [
  ['guard', false, 'refused'],
  ['chain', true, 'silent'],
] as const) {
  describe(`the fwknop client at posternd in ${mode} mode`, () => {
    let story: FwknopStory
    before(async () => {
      const access = accessFile('tcp/22, tcp/23, udp/53', { timeoutSeconds: SECONDS, more: ['MAX_FW_TIMEOUT 60'] })
      story = await beginFwknop({ access, chain, services: [22, 23] })
    })
    after(() => story.close())
    const revoke = async (address: string, ...resources: readonly string[]) => {
      for (const resource of resources)
        expect((await story.postern.posternd('revoke', ...story.postern.at, resource, address)).status).to.equal(0)
    }

    it('opens a port for itself and nobody else, which shuts by itself when FW_ACCESS_TIMEOUT is over', async () => {
      const { client, stranger, server, postern, daemon } = story
      expect(await client.connect(server.v4, 22)).to.equal(shut)

      await story.knock(client, { ports: 'tcp/22', ...LONG })

      await becomesOpen(client, server.v4)
      expect(await stranger.connect(server.v4, 22)).to.equal(shut)
      expect(await client.connect(server.v4, 23)).to.equal(shut)
      const [lease] = (await postern.status()).leases
      expect(lease).to.include({ resource: 'F0000016', address: client.v4, user: 'F1000000' })
      expect(lease!.remainingMs).to.be.at.most(60_000)
      const held = await client.hold(server.v4, 22)
      await revoke(client.v4, 'F0000016')

      const since = daemon.lines.length
      await story.knock(client, { ports: 'tcp/22' })
      await daemon.waitLine(/opened for 2 s: open /, undefined, since)
      await openFor(client, server.v4)
      expect(await held.talk(), 'a connection outlives the lease that let it in').to.equal('answered')
    })

    it('has the whole time, to the millisecond and not to the second', async () => {
      const { client, server, daemon } = story
      for (let i = 0; i < 3; i++) {
        const [since, line] = [performance.now(), daemon.lines.length]
        await story.knock(client, { ports: 'tcp/22' })
        await daemon.waitLine(/opened for 2 s: open /, undefined, line)
        expect(await openFor(client, server.v4, since)).to.be.at.least(1000 * SECONDS)
      }
    })

    it('asks for a time of its own, and gets MAX_FW_TIMEOUT at most', async () => {
      const { client, server, daemon } = story
      const since = daemon.lines.length
      await story.knock(client, { ports: 'tcp/22', more: ['-f', '1'] })
      await daemon.waitLine(/opened for 1 s: open /, undefined, since)
      await openFor(client, server.v4)
      await story.knock(client, { ports: 'tcp/22', more: ['-f', '3000'] })
      await daemon.waitLine(/opened for 60 s: open /, undefined, since)
      await revoke(client.v4, 'F0000016')
    })

    it('opens several ports with one packet, or for another address, or for where the packet comes from', async () => {
      const { client, stranger, server, postern } = story
      await story.knock(client, { ports: 'tcp/22,tcp/23,udp/53', allow: 'source', ...LONG })
      await becomesOpen(client, server.v4, 23)
      expect(await client.connect(server.v4, 22)).to.equal('open')
      const resources = (await postern.status()).leases.map(({ resource }) => resource)
      expect(resources.sort()).to.deep.equal(['F0000016', 'F0000017', 'F0010035'])
      await revoke(client.v4, ...resources)

      await story.knock(client, { ports: 'tcp/22', allow: stranger.v4, ...LONG })
      await becomesOpen(stranger, server.v4)
      expect(await client.connect(server.v4, 22)).to.equal(shut)
      await revoke(stranger.v4, 'F0000016')
    })

    it('meets at the port what any closed port gives, packet for packet and byte for byte', async () => {
      const { client, server } = story
      const capture = await server.capture()
      await story.knock(client, { ports: 'tcp/22', ...LONG })
      await becomesOpen(client, server.v4)
      const [packet] = datagramsOf(await capture.packets())
      await client.send(server.v4, FWKNOP_PORT + 1, [packet!])
      const answers = (await capture.sent()).filter(({ kind }) => kind !== 'tcp').map(String)
      capture.stop()
      expect(answers).to.have.length(chain ? 0 : 2)
      expect(new Set(answers).size).to.be.below(2)
      await revoke(client.v4, 'F0000016')
    })

    it('is told by name in what an administrator reads', async () => {
      const { client, server, postern, daemon } = story
      const since = daemon.lines.length
      await story.knock(client, { ports: 'tcp/22', ...LONG })
      await becomesOpen(client, server.v4)
      await daemon.waitLine(
        /opened for 60 s: open fwknop-tcp-22 \(F0000016\) for 198\.18\.1\.2, access\.conf:1$/,
        undefined,
        since,
      )
      const { stdout } = await postern.posternd('status', ...postern.at)
      expect(stdout).to.match(/fwknop-tcp-22.* 198\.18\.1\.2 +\S+ s +access\.conf:1/)
      expect(stdout).to.match(/1 stanza of fwknop’s/)
    })
  })
}

describe('the fwknop client at posternd', () => {
  let story: FwknopStory
  before(async () => {
    const access = accessFile('tcp/22', { timeoutSeconds: 60, more: ['RESTRICT_PORTS tcp/99'] })
    story = await beginFwknop({ access, fwknop: [`port = ${KNOCK_PORT}, ${FWKNOP_PORT}`] })
  })
  after(() => story.close())

  it('is met with silence, and counted, whatever is wrong', async () => {
    const { client, stranger, server } = story
    const capture = await server.capture()
    const wrong = {
      'fwknop-hmac': [
        ['--key-hmac', 'another'],
        ['--hmac-digest-type', 'sha512'],
      ],
      'fwknop-age': [
        ['--time-offset-minus', '130s'],
        ['--time-offset-plus', '130s'],
      ],
      'fwknop-ports': [
        ['-A', 'tcp/23'],
        ['-A', 'tcp/22,tcp/23'],
      ],
      'fwknop-nat': [
        ['-N', '10.0.0.1:22'],
        ['--nat-local', '-N', '10.0.0.1:22'],
      ],
      'fwknop-restricted': [['-A', 'tcp/99']],
      'fwknop-command': [['-C', 'id']],
      'fwknop-timeout-field': [['-f', '65537']],
    }
    for (const variants of Object.values(wrong))
      for (const more of variants) await story.knock(client, { ports: 'tcp/22', more })
    await story.knock(stranger, { ports: 'tcp/22', more: ['--key-rijndael', 'another key'] })
    const noHmac = await fwknop(story, client, { ports: 'tcp/22', server: server.v4, hmac: false })
    expect(noHmac.status).to.equal(0)
    for (const [why, variants] of Object.entries(wrong)) {
      const times = why === 'fwknop-hmac' ? variants.length + 1 : variants.length
      expect(await story.counted(`refused ${why}`, times), why).to.equal(times)
    }
    expect((await story.postern.status()).leases).to.deep.equal([])
    const sent = await capture.sent()
    expect(sent.filter((packet) => packet.kind !== 'icmp').map(String)).to.deep.equal([])
    capture.stop()
  })

  it('is told in the log where it has the key, and only there', async () => {
    const { client, daemon } = story
    const since = daemon.lines.length
    await story.knock(client, { ports: 'tcp/22', more: ['--key-hmac', 'nobody’s'] })
    await story.knock(client, { ports: 'tcp/24' })
    const [line] = await daemon.waitLine(/refused a knock from .*/, 30_000, since)
    expect(line).to.match(/from 198\.18\.1\.2 \(access\.conf:1\): fwknop: .*OPEN_PORTS.*tcp\/24/)
    expect(daemon.lines.slice(since).filter((said) => said.includes('refused a knock'))).to.have.length(1)
    expect(daemon.lines.join('\n')).to.not.include(KEYS.rijndael).and.not.include(KEYS.hmac)
  })

  async function isRevoked(address: string): Promise<void> {
    const { postern } = story
    const { status, stderr } = await postern.posternd('revoke', ...postern.at, 'F0000016', address)
    expect(status, stderr).to.equal(0)
  }

  it('is heard on the port of SPA’s knocks too', async () => {
    const { client, server } = story
    await story.knock(client, { ports: 'tcp/22', more: ['-p', String(KNOCK_PORT)] })
    await becomesOpen(client, server.v4)
    await isRevoked(client.v4)
  })

  it('opens by a datagram that it makes itself, whatever source it forges, for the address that the packet says', async () => {
    const { client, stranger, server } = story
    await story.knock(client, { ports: 'tcp/22', more: ['-P', 'udpraw', '-Q', '198.18.1.99'] })
    await becomesOpen(client, server.v4)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await isRevoked(client.v4)
  })

  it('opens over IPv6 for where the packet comes from, which no fwknop server can', async () => {
    const { client, server } = story
    const capture = await server.capture()
    await story.knock(client, { ports: 'tcp/22', allow: 'source', more: ['-p', '9999'] })
    const [packet] = datagramsOf(await capture.packets())
    capture.stop()
    expect(await client.connect(server.v6, 22)).to.equal('refused')
    await client.send(server.v6, FWKNOP_PORT, [packet!])
    await becomesOpen(client, server.v6)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await isRevoked(client.v6)
  })

  it('loses its port in time where the daemon is killed', async () => {
    const { client, server, postern } = story
    await withinLease(async () => {
      await story.knock(client, { ports: 'tcp/22', more: ['-f', String(SECONDS)] })
      await becomesOpen(client, server.v4)
      const [lease] = (await postern.status()).leases
      expect(lease!.remainingMs).to.be.at.most(1000 * SECONDS)
    })
    await story.daemon.kill9()
    await becomesShut(client, server.v4)
    story.daemon = await story.postern.start()
    await nextSecond()
  })

  it('loses its port with its stanza, when the configuration is read again', async () => {
    const { client, server, postern } = story
    const reload = async () => {
      const since = story.daemon.lines.length
      story.daemon.signal('SIGHUP')
      await story.daemon.waitLine(/reloaded/, 30_000, since)
    }
    const knocked = async () => {
      await story.knock(client, { ports: 'tcp/22' })
      await becomesOpen(client, server.v4)
    }
    await knocked()
    const own = (ports: string, more: readonly string[] = []) => accessFile(ports, { timeoutSeconds: 60, more })
    story.setAccess(`# Only its line is another.\n${own('tcp/22', ['RESTRICT_PORTS tcp/99'])}`)
    await reload()
    expect(await client.connect(server.v4, 22), 'the same stanza').to.equal('open')
    story.setAccess(own('tcp/22', ['REQUIRE_USERNAME somebody']))
    await reload()
    expect(await client.connect(server.v4, 22), 'another stanza').to.equal('refused')
    expect((await postern.status()).leases).to.deep.equal([])

    await story.knock(client, { ports: 'tcp/22', more: ['-U', 'nobody'] })
    await story.counted('refused fwknop-username')
    await story.knock(client, { ports: 'tcp/22', more: ['-U', 'somebody'] })
    await becomesOpen(client, server.v4)
    story.setAccess(accessFile('tcp/23'))
    await reload()
    expect((await postern.status()).leases).to.deep.equal([])
  })
})

describe('with `port = any` the fwknop client', () => {
  let story: FwknopStory
  before(async () => {
    story = await beginFwknop({ access: accessFile('tcp/22', { timeoutSeconds: 60 }), fwknop: ['port = any'] })
  })
  after(() => story.close())

  it('is heard at a random port', async () => {
    const { client, server } = story
    const capture = await server.capture()
    await story.knock(client, { ports: 'tcp/22', more: ['-r'] })
    await becomesOpen(client, server.v4)
    const [knock] = (await capture.packets()).filter(({ kind, outgoing }) => kind === 'udp' && !outgoing)
    expect(knock!.destinationPort).to.not.equal(FWKNOP_PORT)
  })
})
