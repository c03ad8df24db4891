/**
 * The evening it does not work, seen from the client: each cause is made for real, and postern doctor names it.
 *
 *   client ── server: posternd, port 22 guarded
 */
import { chmodSync } from 'node:fs'
import { expect } from 'chai'
import { keyCheck } from '../../lib/wire/key-check.js'
import { nameServer, SERVER_NAME } from '../support/hosts.js'
import { clientFile, KEY, REALM, USER } from '../support/installation.js'
import { type Beginning, begin, type Story } from '../support/story.js'

const RESOURCES = ['00000001 = port: 22 / name: ssh / timeout: 30']
const CHECK = keyCheck(Buffer.from(KEY, 'hex'), REALM)

interface Told {
  readonly findings: readonly { readonly code: string; readonly sentence: string; readonly mend: string }[]
  readonly notes: readonly string[]
}

describe('the doctor of a client', () => {
  let story: Story
  afterEach(() => story.close())

  async function given(more: Beginning = {}) {
    story = await begin({ resources: RESOURCES, ...more })
  }

  async function doctor(...words: string[]): Promise<Told> {
    const { postern, client } = story
    const { status, stdout, stderr } = await postern.postern(client, 'doctor', '--json', ...words)
    expect(stderr).to.equal('')
    const told = JSON.parse(stdout) as Told
    expect(status).to.equal(told.findings.length === 0 ? 0 : 1)
    return told
  }

  async function finds(words: string[], code: string, sentence: RegExp, mend: RegExp) {
    const { findings } = await doctor(...words)
    expect(findings.map((one) => one.code)).to.deep.equal([code])
    expect(findings[0]!.sentence).to.match(sentence)
    expect(findings[0]!.mend).to.match(mend)
  }

  const changeClient = (change: (text: string) => string) =>
    story.postern.configureClient(change(clientFile(RESOURCES)))

  it('finds nothing where it opens, and says what was open before', async () => {
    await given()
    expect(await doctor(story.server.v4)).to.deep.equal({ findings: [], notes: [] })
    const again = await doctor(story.server.v4, '22')
    expect(again.findings).to.deep.equal([])
    expect(again.notes.join()).to.match(
      /port 22 at \S+ was open before the knock, by a lease that lives or because nobody guards it, so it is not known whether/,
    )
    const { postern, client, server } = story
    const { status, stdout } = await postern.postern(client, 'doctor', server.v4)
    expect(status).to.equal(0)
    expect(stdout).to.match(/^nothing wrong was found: the knock was sent, and the port is open\n/)
  })

  it('does not say of a key that was changed within a lease that it opens', async () => {
    await given()
    expect(await doctor(story.server.v4)).to.deep.equal({ findings: [], notes: [] })
    changeClient((text) => text.replace(KEY, 'AB'.repeat(32)))
    const { findings, notes } = await doctor(story.server.v4, '22')
    expect(findings).to.deep.equal([])
    expect(notes.join()).to.match(
      /so it is not known whether this knock opens: postern revoke \S+ 22, and the doctor again, show it; where the port is open behind that, too, .* \(another key/,
    )
  })

  it('says what to compare where the server is silent: a wrong key, a wrong realm', async () => {
    await given()
    const { server } = story
    changeClient((text) => text.replace(KEY, 'AB'.repeat(32)))
    await finds(
      [server.v4],
      'shut',
      new RegExp(
        `port 22 of ${server.v4} stays shut \\(${server.v4}: refused; the host answers.*user ${USER} with key check (?!${CHECK})[0-9A-F]{8}`,
      ),
      /^posternd doctor --user 0000000A --listen 60 +# on the server/,
    )
    changeClient((text) => text.replace(REALM, 'elsewhere'))
    await finds([server.v4], 'shut', new RegExp(`key check (?!${CHECK})`), /./)
    const theirs = await story.postern.posternd('doctor', '--user', USER, ...story.postern.at)
    expect(theirs.stdout).to.contain(`key check ${CHECK}`)
    expect(theirs.stdout).not.to.contain(KEY)
  })

  it('says that the daemon’s host drops, or that there is nobody', async () => {
    await given()
    const { server } = story
    await server.must(['nft', 'table inet wall { chain in { type filter hook prerouting priority raw; drop; }; }'])
    await finds([server.v4], 'shut', /no answer; nothing came back: it is down, or drops what is shut/, /./)
  })

  it('says that this machine lets no knock out, or has no way there', async () => {
    await given()
    const { server, client } = story
    await finds(['203.0.113.9'], 'no-route', /203\.0\.113\.9.*ENETUNREACH/, /^ip route/)
    await client.must([
      'nft',
      'table inet kill { chain out { type filter hook output priority 0; udp dport 5800 drop; }; }',
    ])
    await finds([server.v4], 'blocked-here', /own firewall does not let the knock out.*EPERM/, /sudo nft list ruleset/)
  })

  it('says that it opens at one family and not at the other', async () => {
    await given()
    const { server } = story
    await server.must([
      'nft',
      'table ip6 wall { chain in { type filter hook prerouting priority raw; udp dport 5800 drop; }; }',
    ])
    nameServer()
    await finds(
      [SERVER_NAME],
      'one-address',
      new RegExp(`opens at ${server.v4} and stays shut at ${server.v6}`),
      /^ssh -4 server\.example$/,
    )
  })

  it('says what is wrong with name, file, permissions, key and resource', async () => {
    await given()
    const { server, postern } = story
    await finds(['no-such-name.invalid', '22'], 'resolve', /no-such-name\.invalid: no address found/, /getent/)
    await finds([server.v4, '99'], 'config', /no resource for port 99/, /postern add/)
    changeClient((text) => text.replace(`${USER} = ${KEY}`, ''))
    await finds([server.v4, '22'], 'config', /no key for user 0000000A/, /postern add/)
    changeClient((text) => text)
    chmodSync(postern.clientConfig, 0o644)
    await finds([server.v4, '22'], 'permission', /postern\.conf/, /^chmod 600 .*postern\.conf$/)
  })

  it('says clock or realm where letmein’s exchange gets in and postern’s own knock does not', async () => {
    await given({ more: '[LETMEIN]\nenabled = yes\n' })
    const { server } = story
    changeClient((text) => text.replace(REALM, 'elsewhere').replace('[CLIENT]', '[CLIENT]\nprotocol = auto'))
    await finds(
      [server.v4],
      'clock-or-realm',
      /letmein’s exchange, which needs no clock, gets in: the clocks are more than a minute apart \(here it is \d{4}-.*\), or \[SPA\] realm differs/,
      /date -u/,
    )
  })
})
