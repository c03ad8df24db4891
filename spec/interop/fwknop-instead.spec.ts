/**
 * fwknopd is stopped and posternd started in its place: the same access.conf, the same fwknopd.conf, the same command at the client.
 *
 *     client: fwknop ── server: fwknopd, iptables that drop; then posternd ── stranger
 */
import { chmodSync, chownSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect } from 'chai'
import { HAS_ACCOUNTS, MONITOR_ID } from '../support/accounts.js'
import {
  accessFile,
  dropByDefault,
  FWKNOP_MODES,
  type FwknopMode,
  FwknopServer,
  fwknop,
} from '../support/fwknop-peer.js'
import { nextSecond } from '../support/fwknop-story.js'
import { Installation, serverFile } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import { becomesOpen, datagramsOf } from '../support/story.js'

const PORT = 50_123

/** What fwknopd is told in either mode, so that it hears at PORT. */
const LISTENING = {
  udp: [`UDPSERV_PORT ${PORT};`],
  pcap: [`PCAP_FILTER udp port ${PORT};`],
} as const satisfies Record<FwknopMode, readonly string[]>

for (const mode of FWKNOP_MODES) {
  describe(`posternd in the place of fwknopd, ${mode} mode`, () => {
    let lab: Lab
    let fwknopd: FwknopServer
    before(async () => {
      lab = await openLab()
      await lab.server.echo(22)
      await dropByDefault(lab.server, mode)
      await lab.server.must(['iptables', '-A', 'INPUT', '-p', 'udp', '--dport', String(PORT), '-j', 'ACCEPT'])
      const access = accessFile('tcp/22', {
        timeoutSeconds: 20,
        more: ['REQUIRE_SOURCE_ADDRESS Y', 'MAX_FW_TIMEOUT 60'],
      })
      fwknopd = await FwknopServer.start(lab, { mode, access, more: [...LISTENING[mode], 'MAX_SPA_PACKET_AGE 30;'] })
    })
    after(() => lab.close())

    const knock = () => fwknop(lab, lab.client, { ports: 'tcp/22', server: lab.server.v4, more: ['-p', String(PORT)] })

    it('opens to the same command what fwknopd opened, and not to what fwknopd has taken', async () => {
      const { client, server, stranger } = lab
      const capture = await server.capture()
      await knock()
      await becomesOpen(client, server.v4)
      const [recorded] = datagramsOf(await capture.packets())
      capture.stop()
      await fwknopd.stop()

      const texts = Object.values(fwknopd.files).map((file) => readFileSync(file, 'utf8'))
      giveToMonitor(fwknopd)
      const { access, config } = fwknopd.files
      const postern = new Installation(lab)
      postern.configure(serverFile([], { more: `[FWKNOP]\naccess-file = ${access}\nconfig-file = ${config}\n` }))
      // The host's own rules shut the port, too, and stay.
      await server.must(['iptables', '-I', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT'])
      const check = await postern.posternd('check', '--config', postern.serverConfig)
      expect(check.status, check.stderr).to.equal(0)
      await postern.trustClock()
      const daemon = await postern.start()
      await nextSecond()

      expect(await client.connect(server.v4, 22)).to.not.equal('open')
      await client.send(server.v4, PORT, [recorded!])
      await daemon.waitLine(/refused a knock from 198\.18\.1\.2 \(access\.conf:1, open fwknop-tcp-22 \(F0000016\)\)/)
      expect(await client.connect(server.v4, 22)).to.not.equal('open')
      await knock()
      await becomesOpen(client, server.v4)
      expect(await stranger.connect(server.v4, 22)).to.not.equal('open')
      expect(Object.values(fwknopd.files).map((file) => readFileSync(file, 'utf8'))).to.deep.equal(texts)
    })
  })
}

/** As OPERATIONS says: chgrp and chmod. The folder of a laboratory is nobody else's to enter. */
function giveToMonitor({ files }: FwknopServer): void {
  chmodSync(dirname(files.access), 0o755)
  if (!HAS_ACCOUNTS) return
  for (const file of Object.values(files)) {
    chownSync(file, 0, MONITOR_ID)
    chmodSync(file, 0o640)
  }
}
