/**
 * postern doctor for a host that is knocked at by fwknop's packet, before the real fwknopd and before posternd: each cause is made for
 * real, and what the doctor says mends it is done.
 *
 *     client: postern doctor, a .fwknoprc ── server: fwknopd and iptables that drop, or posternd with an access.conf; services
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { bundle, ROOT } from '../cli/program.js'
import { clientOf } from '../support/client.js'
import { accessFile, dropByDefault, FWKNOP_MODES, FwknopServer, rcStanza } from '../support/fwknop-peer.js'
import { beginFwknop } from '../support/fwknop-story.js'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { type Lab, openLab } from '../support/lab.js'
import { becomesOpen, becomesShut, withinLease } from '../support/story.js'

const SERVICES = [22, 2222] as const
const LEASE_SECONDS = 2

interface Told {
  readonly findings: readonly { readonly code: string; readonly sentence: string; readonly mend: string }[]
  readonly notes: readonly string[]
}

const SERVERS: Readonly<Record<string, (access: string) => Promise<Lab>>> = {
  fwknopd: async (access) => {
    const lab = await openLab()
    for (const port of SERVICES) await lab.server.echo(port)
    await dropByDefault(lab.server, FWKNOP_MODES[0]!)
    await FwknopServer.start(lab, { mode: FWKNOP_MODES[0]!, access })
    return lab
  },
  posternd: (access) => beginFwknop({ access, services: SERVICES }),
}

for (const [name, open] of Object.entries(SERVERS))
  describe(`the doctor of a client of fwknop’s, before ${name}`, () => {
    let lab: Lab
    before(bundle)
    async function given(more: readonly string[] = []) {
      lab = await open(accessFile('tcp/22,tcp/2222', { timeoutSeconds: LEASE_SECONDS, more }))
    }
    const rc = () => join(lab.folder, '.fwknoprc')
    const client = (line: readonly string[]) =>
      lab.client.run([clientOf(ROOT), ...line], { env: { HOME: lab.folder, LOGNAME: 'alice' } })

    async function doctor(lines: readonly string[], ...words: string[]): Promise<Told> {
      if (lines.length > 0) writeFileSync(rc(), rcStanza('gate', lab.server.v4, lines), { mode: 0o600 })
      const all = words.length > 0 ? words : ['gate']
      const { status, stdout, stderr } = await client(['doctor', '--json', '--protocol', 'fwknop', ...all])
      expect(stderr).to.equal('')
      const told = JSON.parse(stdout) as Told
      expect(status).to.equal(told.findings.length === 0 ? 0 : 1)
      return told
    }

    /** One cause, and after its command none. */
    async function mends(lines: readonly string[], code: string, sentence: RegExp) {
      const { findings } = await doctor(lines)
      expect(findings.map((one) => one.code)).to.deep.equal([code])
      expect(findings[0]!.sentence).to.match(sentence)
      await shut()
      const words = `PATH=${join(ROOT, 'bin')}:$PATH; cd ${lab.folder}; ${findings[0]!.mend}`
      await lab.client.must(['sh', '-c', words], { env: { HOME: lab.folder, LOGNAME: 'alice' } })
    }

    const shut = () => Promise.all(SERVICES.map((port) => becomesShut(lab.client, lab.server.v4, port)))

    describe('with a stanza for two ports', () => {
      before(() => given())
      after(() => lab.close())
      afterEach(shut)

      it('finds nothing where it opens', async () => {
        await withinLease(async () => {
          const { findings } = await doctor(['ACCESS tcp/22'])
          expect(findings).to.deep.equal([])
          await becomesOpen(lab.client, lab.server.v4)
        })
      })

      it('finds that ALLOW_IP is another address than the one that the server sees, and mends it', async () => {
        await mends(
          ['ACCESS tcp/22', 'ALLOW_IP 10.1.2.3'],
          'address-differs',
          /opens for the address that gate sees, and not for 10\.1\.2\.3/,
        )
        expect(readFileSync(rc(), 'utf8'))
          .to.match(/\nALLOW_IP source\n/)
          .and.not.to.include('10.1.2.3')
        expect((await doctor([])).findings).to.deep.equal([])
      })

      it('finds that the packet goes to another port, and mends it', async () => {
        await mends(
          ['ACCESS tcp/22', 'SPA_SERVER_PORT 62202'],
          'knock-port',
          /gate hears fwknop’s packets at UDP port 62201, and they were sent to port 62202/,
        )
        expect((await doctor([])).findings).to.deep.equal([])
      })

      it('finds which of several ports the stanza does not grant, and what opens', async () => {
        const alone = /tcp\/22 opens where it is asked for alone.* does not grant tcp\/23/
        await withinLease(async () => {
          await mends(['ACCESS tcp/22,tcp/23'], 'ports', alone)
          await becomesOpen(lab.client, lab.server.v4)
        })
      })

      it('says what to compare where nothing opens: keys, clock, ports', async () => {
        for (const lines of [
          ['ACCESS tcp/22', 'HMAC_KEY wrong'],
          ['ACCESS tcp/22', 'TIME_OFFSET -600'],
          ['ACCESS tcp/23'],
        ]) {
          const { findings } = await doctor(lines)
          expect(findings.map(({ code }) => code)).to.deep.equal(['shut'])
          expect(findings[0]!.sentence).to.match(
            /compare there the time \(here it is \S+Z\), KEY, HMAC_KEY, .* of \S+\.fwknoprc \[gate\] with the stanza in access\.conf, its OPEN_PORTS with tcp\/2[23]/,
          )
          expect(findings[0]!.mend).to.match(/^journalctl -u fwknop-server .*posternd doctor --listen 60/)
        }
      })

      it('says what is wrong with the file, the name and the network', async () => {
        writeFileSync(rc(), '[gate]\nSPA_SERVER 198.18.0.1\nACCESS tcp/22\n', { mode: 0o600 })
        const keyless = await doctor([])
        expect(keyless.findings.map(({ code }) => code)).to.deep.equal(['config'])
        expect(keyless.findings[0]!.sentence).to.match(/no key: add KEY_BASE64/)
        const nowhere = await doctor(['ACCESS tcp/22'], '-n', 'gate', '203.0.113.9')
        expect(nowhere.findings.map(({ code }) => code)).to.deep.equal(['no-route'])
        await lab.client.must([
          'nft',
          'table inet kill { chain out { type filter hook output priority 0; udp dport 62201 drop; }; }',
        ])
        const blocked = await doctor([])
        await lab.client.must(['nft', 'delete table inet kill'])
        expect(blocked.findings.map(({ code }) => code)).to.deep.equal(['blocked-here'])
      })
    })

    it('finds that the server wants an address in the packet, and opens with one', async () => {
      await given(['REQUIRE_SOURCE_ADDRESS Y'])
      try {
        await withinLease(async () => {
          await mends(['ACCESS tcp/22'], 'address-required', /opens only for an address that the packet names/)
          await becomesOpen(lab.client, lab.server.v4)
        })
      } finally {
        await lab.close()
      }
    })

    if (name === 'posternd')
      it('finds that it opens over one family alone, as the packet goes over one', async () => {
        await given()
        try {
          nameServer()
          writeFileSync(rc(), rcStanza('gate', SERVER_NAME, ['ACCESS tcp/22']), { mode: 0o600 })
          const { findings } = await doctor([])
          expect(findings.map(({ code }) => code)).to.deep.equal(['one-address'])
          expect(findings[0]!.mend).to.equal(`ssh -4 ${SERVER_NAME}`)
        } finally {
          await lab.close()
        }
      })
  })
