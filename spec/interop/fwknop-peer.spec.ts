/**
 * The real fwknop against itself, in the laboratory: the ground on which the other specs of its datagrams stand.
 *
 *     client: fwknop ── server: fwknopd, iptables that drop, a service on 22 ── stranger
 */
import { expect } from 'chai'
import { accessFile, dropByDefault, FWKNOP_MODES, FWKNOP_PORT, FwknopServer, fwknop } from '../support/fwknop-peer.js'
import { type Lab, openLab } from '../support/lab.js'
import { datagramsOf, withinLease } from '../support/story.js'

const LEASE_SECONDS = 3

for (const mode of FWKNOP_MODES) {
  describe(`the real fwknop, ${mode} mode`, () => {
    let lab: Lab
    let server: FwknopServer
    before(async () => {
      lab = await openLab()
      await lab.server.echo(22)
      await dropByDefault(lab.server, mode)
      server = await FwknopServer.start(lab, { mode, access: accessFile('tcp/22', { timeoutSeconds: LEASE_SECONDS }) })
    })
    after(() => lab.close())

    it('opens a port for a client and nobody else, and shuts it in time', async () => {
      const { client, stranger } = lab
      expect(await client.connect(lab.server.v4, 22)).to.equal('silent')

      const since = await withinLease(async () => {
        const said = server.daemon.lines.length
        const { status, stderr } = await fwknop(lab, client, { ports: 'tcp/22', server: lab.server.v4 })

        expect([status, stderr]).to.deep.equal([0, ''])
        const added = /Added access rule to FWKNOP_INPUT for 198\.18\.1\.2 -> 0\.0\.0\.0\/0 tcp\/22/
        await server.daemon.waitLine(added, undefined, said)
        const [rule, ...others] = await server.rules()
        expect(rule).to.match(/^-A FWKNOP_INPUT -s 198\.18\.1\.2\/32 -p tcp .*--dport 22 .*-j ACCEPT$/)
        expect(others).to.deep.equal([])
        expect(await client.connect(lab.server.v4, 22)).to.equal('open')
        expect(await stranger.connect(lab.server.v4, 22)).to.equal('silent')
        return said
      }, 1000 * LEASE_SECONDS)
      await server.daemon.waitLine(/Removed rule 1 from FWKNOP_INPUT/, undefined, since)
      expect(await client.connect(lab.server.v4, 22)).to.equal('silent')
    })

    it('refuses a datagram that it has seen before', async () => {
      const capture = await lab.server.capture()
      const since = server.daemon.lines.length
      await fwknop(lab, lab.client, { ports: 'tcp/22', server: lab.server.v4 })
      await server.daemon.waitLine(/Added access rule/, 30_000, since)
      const [datagram] = datagramsOf(await capture.packets())

      await lab.client.send(lab.server.v4, FWKNOP_PORT, [datagram!])

      await server.daemon.waitLine(/Replay detected from source IP: 198\.18\.1\.2/)
    })

    it('refuses ports that are not the user’s', async () => {
      await fwknop(lab, lab.client, { ports: 'tcp/23', server: lab.server.v4 })
      await server.daemon.waitLine(/One or more requested protocol\/ports was denied/)
    })

    it('ends at SIGTERM with status 0 and takes its chain along', async () => {
      expect(await server.stop()).to.deep.equal({ status: 0, signal: null })
      expect(await server.rules()).to.deep.equal([])
    })
  })
}
