/**
 *     server: posternd with something that cannot work ── one sentence, an exit code, and nothing of it in the kernel
 */

import { chmodSync, lchownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { HAS_ACCOUNTS } from '../support/accounts.js'
import { KEY, serverFile } from '../support/installation.js'
import { begin, type Story } from '../support/story.js'

const GOOD = serverFile(['00000001 = port: 22'])
const ZEROS = '0'.repeat(64)

/** What is wrong, what is said about it (the file's path is left out), and the exit code. */
const CASES: readonly { name: string; file: string; says: readonly RegExp[] }[] = [
  {
    name: 'a port beyond 65535',
    file: serverFile(['00000001 = port: 2222222']),
    says: [/^FILE:8: .*"2222222": expected 1–65535/m],
  },
  {
    name: 'several errors at once',
    file: `${serverFile(['00000001 = port: 0', 'G = port: 22'])}[FIREWALL]\nclosed = shut\n`,
    says: [/^FILE:8: /m, /^FILE:9: /m, /^FILE:11: .*"shut": expected auto, drop, reject/m],
  },
  {
    name: 'a misspelled option of postern’s own',
    file: GOOD.replace('realm =', 'realms ='),
    says: [/^FILE:4: .*realms.*realm/m],
  },
  {
    name: 'a key of all zeros',
    file: GOOD.replace(KEY, ZEROS),
    says: [/^FILE:6: .*0000000A.*zeros/m],
  },
  {
    name: 'a key that is too short',
    file: GOOD.replace(KEY, KEY.slice(2)),
    says: [/^FILE:6: .*expected 64 hex digits/m],
  },
]

describe('posternd run', () => {
  let story: Story
  before(async () => {
    story = await begin({ daemon: false })
  })
  after(() => story.close())

  /** Starts it, and gives back how it ended. The kernel has to be as empty as before. */
  async function ends(more: readonly string[] = []): Promise<{ status: number | null; said: string }> {
    const { postern, server } = story
    const daemon = postern.spawn(more)
    const { status } = await daemon.exited
    await daemon.closed
    expect(await server.must(['nft', 'list', 'ruleset'])).to.equal('')
    return {
      status,
      said: daemon.lines
        .join('\n')
        .replaceAll(postern.serverConfig, 'FILE')
        .replace(/^posternd: /, ''),
    }
  }

  for (const { name, file, says } of CASES) {
    it(`refuses ${name} with file, line, what was read and what was expected`, async () => {
      story.postern.configure(file)
      const { status, said } = await ends()
      expect(status, said).to.equal(78)
      for (const pattern of says) expect(said).to.match(pattern)
      expect(said).not.to.match(/[0-9a-f]{32}/i)
    })
  }

  it('refuses a key file that others can read, and says the cure', async () => {
    story.postern.configure(GOOD)
    chmodSync(story.postern.serverConfig, 0o644)
    const { status, said } = await ends()
    expect(status, said).to.equal(77)
    expect(said).to.match(/FILE: mode 0644, readable by everybody: expected .*: chmod 6[04]0 /)
    expect(said).not.to.include(KEY)
  })

  it('refuses a key file that others can write', async () => {
    story.postern.configure(GOOD)
    chmodSync(story.postern.serverConfig, 0o642)
    const { status, said } = await ends()
    expect(status, said).to.equal(77)
    expect(said).to.match(/FILE: mode 0642, writable by everybody/)
  })

  it('says that there is no configuration', async () => {
    story.postern.configure(GOOD)
    const { status, said } = await ends(['--config', '/nonexistent/posternd.conf'])
    expect(status, said).to.equal(78)
    expect(said).to.include('/nonexistent/posternd.conf')
  })

  it('says what to install where nft is missing', async () => {
    story.postern.configure(`${GOOD}[NFTABLES]\nexe = /nonexistent/nft\n`)
    const { status, said } = await ends()
    expect(status, said).to.equal(69)
    expect(said).to.match(/"\/nonexistent\/nft" is not there: apt-get install nftables/)
  })

  it('names an option that it does not have', async () => {
    story.postern.configure(GOOD)
    const { status, said } = await ends(['--colour', 'red'])
    expect(status, said).to.equal(2)
    expect(said).to.match(/--colour: no such option .*for example: posternd run --config/)
  })

  it('refuses an option that is there twice', async () => {
    story.postern.configure(GOOD)
    const { status, said } = await ends(['--user', '-', '--user', '-'])
    expect(status, said).to.equal(2)
    expect(said).to.match(/--user is here twice: expected once .*for example: posternd run --config/)
  })

  if (HAS_ACCOUNTS)
    it('refuses a run folder of somebody else, who could have root write and give away what he likes', async () => {
      story.postern.configure(GOOD)
      const folder = join(story.folder, 'theirs')
      const victim = join(story.folder, 'victim')
      mkdirSync(folder)
      writeFileSync(victim, 'precious')
      symlinkSync(victim, join(folder, 'lock'))
      lchownSync(folder, 1000, 1000)
      const { status, said } = await ends(['--run-dir', folder])
      expect(status, said).to.equal(77)
      expect(said).to.match(/theirs: owner 1000: expected 0/)
      expect(readFileSync(victim, 'utf8')).to.equal('precious')
    })

  it('does not follow a link in the place of its lock', async () => {
    story.postern.configure(GOOD)
    const folder = join(story.folder, 'ours')
    const victim = join(story.folder, 'victim')
    mkdirSync(folder)
    writeFileSync(victim, 'precious')
    symlinkSync(victim, join(folder, 'lock'))
    const { status, said } = await ends(['--run-dir', folder])
    expect(status, said).to.equal(77)
    expect(readFileSync(victim, 'utf8')).to.equal('precious')
  })

  it('says what is wrong with the file where the last gate cannot go up either', async () => {
    const { postern, server, folder } = story
    postern.configure('[GENERAL]\nport = bad\n')
    const state = join(folder, 'state', 'monitor')
    mkdirSync(state, { recursive: true })
    writeFileSync(join(state, 'gate.nft'), 'table inet postern {\n\tchain nonsense { nonsense; }\n}\n')
    const { status, said } = await ends()
    expect(status, said).to.equal(78)
    expect(said)
      .to.match(/FILE:2: .*"bad"/)
      .and.to.match(/last good configuration could not be put up: nft/)
    expect(await server.must(['nft', 'list', 'ruleset'])).to.equal('')
  })

  it('leaves the gate of the last good configuration where nft does not take the new one', async () => {
    const { postern, server, stranger } = story
    postern.configure(GOOD)
    await (await postern.start()).kill9()
    await server.must(['nft', 'flush', 'ruleset'])
    postern.configure(`${GOOD}[FIREWALL]\ntable = counter\n`)
    const daemon = postern.spawn()
    expect(await daemon.exited).to.include({ status: 69 })
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await server.must(['nft', 'flush', 'ruleset'])
    expect(await stranger.connect(server.v4, 22)).to.equal('open')
    const up = await postern.posternd('up', ...postern.at, '--state-dir', join(story.folder, 'state'))
    expect(up.status, up.stderr).to.equal(69)
    expect(up.stderr)
      .to.match(/the gate of the last good configuration is up, shut/)
      .and.to.match(/nft: exit 1/)
    expect(await stranger.connect(server.v4, 22)).to.equal('refused')
    await server.must(['nft', 'flush', 'ruleset'])
  })

  it('says what it lacks where it may not change the firewall', async () => {
    const { postern, server } = story
    postern.configure(GOOD)
    const argv = [`${postern.folder}/bin/posternd`, 'run', ...postern.at]
    const bare = ['setpriv', '--inh-caps=-net_admin', '--ambient-caps=-all', '--bounding-set=-net_admin', '--', ...argv]
    const { status, stderr } = await server.run(bare)
    expect(status, stderr).to.equal(77)
    expect(stderr).to.match(/run as root|CAP_NET_ADMIN/)
    expect(await server.must(['nft', 'list', 'ruleset'])).to.equal('')
  })
})
