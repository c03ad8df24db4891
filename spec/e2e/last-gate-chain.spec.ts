/**
 * Chain mode: the host's own ruleset shuts. A configuration that was spoilt, and a boot in between, whose ruleset was saved
 * while somebody had a lease.
 *
 *     client ── server: table filter { INPUT: drop by default, established accept, jump KNOCK }
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { BOOT_MARK } from '../../lib/daemon/boot-mark.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const RULESET = `table inet filter {
  chain KNOCK { }
  chain INPUT {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    jump KNOCK
  }
}
`
const NFTABLES = '[NFTABLES]\nfamily = inet\ntable = filter\nchain-input = KNOCK\n[LETMEIN]\nenabled = no\n'
/** Long: were it not taken out, it would still be alive when it is looked for. */
const RESOURCE = '00000001 = port: 22 / timeout: 3600 / max-timeout: 3600'

describe('a configuration that was spoilt, in chain mode', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin({ resources: [RESOURCE], more: NFTABLES, daemon: false })
    await load(RULESET)
    story.daemon = await story.postern.start()
  })
  afterEach(() => story.close())

  const load = (text: string) => story.server.must(['nft', '-f', '-'], { input: `flush ruleset\n${text}` })
  const up = () => story.postern.posternd('up', ...story.postern.at, '--state-dir', join(story.folder, 'state'))

  /** What a boot leaves: the ruleset of a file, no memory of this one. */
  async function boot(ruleset: string): Promise<void> {
    await story.daemon!.stop()
    rmSync(join(story.folder, 'run', BOOT_MARK))
    await load(ruleset)
  }

  it('leaves the port as shut as the host’s ruleset makes it, and says so where that is away', async () => {
    const { client, server, postern } = story
    postern.configure('[GENERAL\n')
    await boot(RULESET)
    const shut = await up()
    expect(shut.status).to.equal(78)
    expect(shut.stderr).to.match(/the host’s own ruleset shuts/)
    expect(await client.connect(server.v4, 22)).to.equal('silent')
    expect(await client.connect(server.v6, 22)).to.equal('silent')
    await load('')
    const away = await up()
    expect(away.status).to.equal(78)
    expect(away.stderr).to.match(/NO GATE IS UP: the host’s own ruleset/)
  })

  it('does not leave in whose lease a saved ruleset brought back to life', async () => {
    const { client, server, postern } = story
    await postern.knock(client, server.v4, '22')
    await becomesOpen(client, server.v4)
    const saved = await server.must(['nft', 'list', 'ruleset'])
    await boot(saved)
    for (const [spoilt, start] of [
      ['[GENERAL\n', up],
      ['[GENERAL\n', () => postern.spawn().exited],
      ['', up],
    ] as const) {
      postern.configure(spoilt)
      await load(saved)
      expect(await client.connect(server.v4, 22)).to.equal('open')
      expect(await start()).to.include({ status: 78 })
      expect(await client.connect(server.v4, 22)).to.equal('silent')
    }
  })
})
