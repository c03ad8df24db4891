/**
 * postern's client at posternd by letmein's exchange and by `auto`, on a host without a firewall, whose shut ports answer with
 * ICMP port unreachable, the control port too:
 *
 *     client: postern ── server: posternd in guard mode, a service on 22 ── stranger
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { clientOf } from '../support/client.js'
import { clientFile, KNOCK_PORT } from '../support/installation.js'
import { letmeinFile } from '../support/letmein-peer.js'
import { beginLetmein, GUARD, type LetmeinStory, SSH } from '../support/letmein-story.js'
import { poll } from '../support/poll.js'

const HOUR_MS = 3_600_000

describe('postern’s client at posternd', () => {
  let story: LetmeinStory
  before(async () => {
    const port = `${KNOCK_PORT} / tcp,udp`
    story = await beginLetmein({ ruleset: '', more: GUARD, port })
    const { folder } = story
    writeFileSync(join(folder, 'letmein.conf'), letmeinFile([SSH], { port }), { mode: 0o600 })
    writeFileSync(join(folder, 'auto.conf'), `${clientFile([SSH])}[LETMEIN]\nenabled = yes\n`, { mode: 0o600 })
    writeFileSync(join(folder, 'clock.cjs'), `const now = Date.now; Date.now = () => now() - ${HOUR_MS}\n`)
  })
  after(() => story.close())
  afterEach(async () => {
    const { client, server } = story
    for (const address of [server.v4, server.v6]) {
      await postern('letmein.conf', `revoke -U ${address} 22`)
      await poll('it is shut', async () => (await client.connect(address, 22)) === 'refused')
    }
  })

  /** `postern` at the client with one of the files above. */
  function postern(conf: string, line: string, env: Record<string, string> = {}) {
    const [command, ...rest] = line.split(' ')
    const { client, folder, postern: installed } = story
    const program = [clientOf(installed.folder), command!, '--config', join(folder, conf), ...rest]
    return client.run(program, { env })
  }

  for (const transport of ['-U', '-T'])
    for (const family of ['v4', 'v6'] as const)
      it(`is let in by the exchange over IP${family} with ${transport}`, async () => {
        const { client, server, stranger } = story
        const address = server[family]
        expect(await postern('letmein.conf', `knock ${transport} ${address} 22`)).to.deep.equal({
          status: 0,
          stdout: `${address} lets this machine in at port 22 (COMEIN from ${address})\n`,
          stderr: '',
        })
        expect(await client.connect(address, 22)).to.equal('open')
        expect(await stranger.connect(address, 22)).to.equal('refused')
        expect((await postern('letmein.conf', `revoke ${transport} ${address} 22`)).status).to.equal(0)
        expect(await client.connect(address, 22)).to.equal('refused')
      })

  it('is let in by its own datagram where it may choose, and says nothing of clocks', async () => {
    const { server } = story
    const { status, stdout, stderr } = await postern('auto.conf', `knock ${server.v4} 22`)
    expect(stdout).to.match(/^port 22 of 198.18.0.1 is open/)
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
  })

  it('is let in by the exchange where its clock is an hour behind, and is told so', async () => {
    const { client, server, folder } = story
    const wrong = { NODE_OPTIONS: `--require ${join(folder, 'clock.cjs')}` }
    const own = await postern('auto.conf', `knock --protocol spa --wait --timeout 0.5 ${server.v4} 22`, wrong)
    expect(own.status).to.equal(1)

    const { status, stdout, stderr } = await postern('auto.conf', `knock ${server.v4} 22`, wrong)

    expect(stdout).to.match(/^port 22 of 198.18.0.1 is open/)
    const told = /exchange did: compare this machine's clock \((.*?)\) with the server's/.exec(stderr)
    expect(stderr).to.match(/^postern: warning: /)
    expect(Math.abs(Date.parse(told![1]!) + HOUR_MS - Date.now())).to.be.lessThan(HOUR_MS / 2)
    expect(status).to.equal(0)
    expect(await client.connect(server.v4, 22)).to.equal('open')
  })

  it('shuts by both', async () => {
    const { client, server } = story
    await postern('auto.conf', `knock ${server.v4} 22`)
    const { status, stdout } = await postern('auto.conf', `revoke ${server.v4} 22`)
    expect(stdout).to.match(/has shut port 22 for this machine again \(COMEIN from 198.18.0.1\)/)
    expect(status).to.equal(0)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })
})
