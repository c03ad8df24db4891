/**
 * postern's client against the real letmeind and letmeinfwd, with letmein's own letmein.conf, unchanged:
 *
 *     client: postern ── server: letmeind, letmeinfwd, chains that drop, services on 22 and 53 ── stranger
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { bundle, ROOT } from '../cli/program.js'
import { clientOf } from '../support/client.js'
import { KEY, KNOCK_PORT } from '../support/installation.js'
import { type Lab, openLab } from '../support/lab.js'
import { type FileChoices, LetmeinServer, letmeindFile, letmeinFile, RULESET } from '../support/letmein-peer.js'
import type { Namespace, Outcome } from '../support/namespace.js'

const RESOURCES = [
  '00000001 = port: 22 / timeout: 30',
  '00000002 = port: 53 / tcp,udp',
  '00000003 = port: 99 / users: 0000000B',
]
const BOTH: FileChoices = { port: `${KNOCK_PORT} / tcp,udp` }
const NAME = 'gate.lab.example'

/** A ruleset of one rule. */
function dropping(family: 'ip6' | 'inet', hook: 'input' | 'output', match: string): string {
  return `table ${family} lost {
  chain c {
    type filter hook ${hook} priority -10
    ${match} drop
  }
}
`
}

describe('postern at the real letmeind', () => {
  let lab: Lab
  let server: LetmeinServer
  let hosts: string
  before(async () => {
    bundle()
    lab = await openLab()
    for (const port of [22, 53]) await lab.server.echo(port)
    server = await LetmeinServer.start(lab, { config: letmeindFile(RESOURCES, BOTH), ruleset: RULESET })
    hosts = join(lab.folder, 'hosts')
    writeFileSync(hosts, `${lab.server.v4} ${NAME}\n${lab.server.v6} ${NAME}\n`)
    writeFileSync(join(lab.folder, 'letmein.conf'), letmeinFile(RESOURCES, { port: `${KNOCK_PORT} / udp` }), {
      mode: 0o600,
    })
  })
  after(() => lab.close())
  afterEach(async () => {
    for (const family of ['v4', 'v6'] as const) await postern(`revoke -q ${lab.server[family]} 22`)
  })

  /** `postern` at the client, with a hosts file of its own; `conf` in place of letmein.conf. */
  function postern(line: string, { at = lab.client, conf = 'letmein.conf' } = {}): Promise<Outcome> {
    const [command, ...rest] = line.split(' ')
    const program = [clientOf(ROOT), command!, '--config', join(lab.folder, conf), ...rest]
    const own = ['unshare', '--mount', 'sh', '-euc', 'mount --bind "$0" /etc/hosts; exec "$@"', hosts]
    return at.run([...own, ...program], { env: { HOME: lab.folder } })
  }
  const isOpen = async (at: Namespace, family: 'v4' | 'v6', port = 22) =>
    (await at.connect(lab.server[family], port)) === 'open'

  for (const family of ['v4', 'v6'] as const)
    for (const transport of ['-U', '-T'])
      it(`opens and shuts a port over IP${family} with ${transport}, for this machine alone`, async () => {
        const address = lab.server[family]
        expect(await isOpen(lab.client, family)).to.equal(false)

        expect(await postern(`knock ${transport} ${address} 22`)).to.deep.equal({
          status: 0,
          stdout: `${address} lets this machine in at port 22 (COMEIN from ${address})\n`,
          stderr: '',
        })

        expect(await isOpen(lab.client, family)).to.equal(true)
        expect(await isOpen(lab.stranger, family)).to.equal(false)

        expect((await postern(`revoke ${transport} ${address} 22`)).stdout).to.equal(
          `${address} has shut port 22 for this machine again (COMEIN from ${address})\n`,
        )
        expect(await isOpen(lab.client, family)).to.equal(false)
      })

  it('opens both families of a name with one knock', async () => {
    const { status, stdout } = await postern(`knock ${NAME} 22`)
    expect(stdout)
      .to.match(/COMEIN from /)
      .and.include(lab.server.v4)
      .and.include(lab.server.v6)
    expect(status).to.equal(0)
    expect([await isOpen(lab.client, 'v4'), await isOpen(lab.client, 'v6')]).to.deep.equal([true, true])
    expect((await postern(`revoke -46 ${NAME} 22`)).status).to.equal(0)
    expect([await isOpen(lab.client, 'v4'), await isOpen(lab.client, 'v6')]).to.deep.equal([false, false])
  })

  it('opens the family that is asked for', async () => {
    expect((await postern(`knock -4 ${NAME} 22`)).status).to.equal(0)
    expect([await isOpen(lab.client, 'v4'), await isOpen(lab.client, 'v6')]).to.deep.equal([true, false])
  })

  it('opens several ports at once, of all their protocols, and returns when one can connect', async () => {
    const { status, stdout } = await postern(`knock --wait ${lab.server.v4} 22 53`)
    expect(stdout.trim().split('\n')).to.have.length(2)
    expect(status).to.equal(0)
    const rules = await server.rules()
    expect(rules.filter((rule) => rule.includes('port/53/'))).to.have.length(2)
    await postern(`revoke ${lab.server.v4} 53`)
  })

  it('shuts what was not open, and prolongs what is', async () => {
    expect((await postern(`revoke ${lab.server.v4} 22`)).status).to.equal(0)
    for (let i = 0; i < 2; i++) expect((await postern(`knock ${lab.server.v4} 22`)).status).to.equal(0)
    expect((await server.rules()).filter((rule) => rule.includes('port/22/'))).to.have.length(1)
  })

  it('is told GOAWAY for what is another’s, after the key was accepted', async () => {
    const { status, stderr } = await postern(`knock -r 3 ${lab.server.v4}`)
    expect(stderr).to.equal(
      `postern: ${lab.server.v4} did not open resource 00000003: ${lab.server.v4}: it says GOAWAY: ` +
        "compare user, key and resource with the server's file, and look at its log\n",
    )
    expect(status).to.equal(1)
    await server.daemon.waitLine(/Resource 00000003 not allowed for user/)
  })

  it('gets no answer with a wrong key, and says what that may mean', async () => {
    const conf = letmeinFile(RESOURCES, { port: `${KNOCK_PORT} / udp`, general: ['control-timeout = 0.3'] })
    writeFileSync(join(lab.folder, 'wrong.conf'), conf.replace(KEY, '5A'.repeat(32)), { mode: 0o600 })
    const { status, stderr } = await postern(`knock ${lab.server.v4} 22`, { conf: 'wrong.conf' })
    expect(stderr).to.match(/no answer from UDP port 5800 to 3 KNOCKs within 0.3 s: compare user, key/)
    expect(status).to.equal(1)
    const tcp = await postern(`knock -T ${lab.server.v4} 22`, { conf: 'wrong.conf' })
    expect(tcp.stderr).to.match(/it hung up without an answer|no answer from TCP port 5800/)
    expect(tcp.status).to.equal(1)
  })

  it('does not wait for an IPv6 that is dead', async () => {
    const dead = dropping('ip6', 'input', 'udp dport 5800')
    await lab.server.must(['nft', '-f', '-'], { input: dead })
    try {
      const { status, stdout } = await postern(`knock ${NAME} 22`)
      expect(stdout).to.match(/COMEIN from 198.18.0.1; not fd18::1: no answer yet/)
      expect(status).to.equal(0)
      expect(await isOpen(lab.client, 'v4')).to.equal(true)

      const both = await postern(`knock -46 ${NAME} 22`)
      expect(both.status).to.equal(1)
      expect(both.stderr).to.include('fd18::1: no answer from UDP port 5800 to 3 KNOCKs within 5 s')
    } finally {
      await lab.server.must(['nft', 'delete', 'table', 'ip6', 'lost'])
    }
  })

  for (const [hook, match] of [
    ['input', 'udp dport 5800'],
    ['output', 'udp sport 5800'],
  ] as const)
    for (const nth of [1, 2])
      it(`is in although the server’s ${hook} loses every third datagram, from number ${nth} on`, async () => {
        const lost = dropping('inet', hook, `${match} numgen inc mod 3 ${nth - 1}`)
        await lab.server.must(['nft', '-f', '-'], { input: lost })
        const { status, stderr } = await postern(`knock ${lab.server.v4} 22`)
        await lab.server.must(['nft', 'delete', 'table', 'inet', 'lost'])
        expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
        expect(await isOpen(lab.client, 'v4')).to.equal(true)
      })

  it('hears by ICMP that nobody listens', async () => {
    const { status, stderr } = await postern(`knock ${lab.client.v4} 22`)
    expect(stderr).to.match(/nothing is served at UDP port 5800 \(ECONNREFUSED\)/)
    expect(status).to.equal(1)
  })

  it('knocks by both protocols for a letmeind that knows only its own, and gets in', async () => {
    const conf = `${letmeinFile(RESOURCES, { port: `${KNOCK_PORT} / udp` })}[SPA]\nrealm = lab\n[LETMEIN]\n`
    writeFileSync(join(lab.folder, 'auto.conf'), conf, { mode: 0o600 })
    const { status, stderr } = await postern(`knock ${lab.server.v4} 22`, { conf: 'auto.conf' })
    expect(stderr).to.match(/^postern: warning: postern's own knock opened nothing within 1 s, letmein's exchange did/)
    expect(status).to.equal(0)
    expect(await isOpen(lab.client, 'v4')).to.equal(true)
  })

  it('is told GOAWAY in the end where the firewall daemon is away', async () => {
    await server.firewall.kill9()
    const { status, stderr } = await postern(`knock ${lab.server.v4} 22`)
    expect(stderr).to.match(/it takes the key, and says GOAWAY: the server could not change its firewall/)
    expect(status).to.equal(1)
  })
})
