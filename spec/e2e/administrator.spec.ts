/**
 *     server: the administrator's own hand: `posternd up`, `open`, `revoke`, `status`, `check`
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { serverFile } from '../support/installation.js'
import { becomesShut, begin, type Story, withinLease } from '../support/story.js'

describe('the administrator', () => {
  let story: Story
  before(async () => {
    story = await begin({ daemon: false })
  })
  after(() => story.close())

  async function posternd(command: string, ...argv: readonly string[]): Promise<string> {
    const { postern } = story
    const { status, stdout, stderr } = await postern.posternd(command, ...argv, ...postern.at)
    expect(status, `posternd ${command}: ${stderr}`).to.equal(0)
    return stdout
  }

  it('puts the shut gate up with no daemon', async () => {
    const { client, server } = story
    expect(await client.connect(server.v4, 22)).to.equal('open')
    await posternd('up')
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect(await client.connect(server.v6, 22)).to.equal('refused')
    expect(await posternd('status')).to.match(/no posternd runs here/)
  })

  it('opens and revokes by hand', async () => {
    const { client, stranger, server, postern } = story
    story.daemon = await postern.start()
    for (const family of ['v4', 'v6'] as const) {
      await posternd('open', '22', client[family], '--lifetime', '30')
      expect(await client.connect(server[family], 22)).to.equal('open')
      expect(await stranger.connect(server[family], 22)).to.equal('refused')
      expect(await posternd('status')).to.include(client[family])
      await posternd('revoke', '22', client[family])
      expect(await client.connect(server[family], 22)).to.equal('refused')
    }
  })

  it('is told what `check` thinks of the configuration', async () => {
    const { postern } = story
    const { status, stdout } = await postern.posternd('check', '--config', postern.serverConfig)
    expect(status).to.equal(0)
    expect(stdout).to.match(/UDP port 5800; realm "lab\.example"/)
  })

  it('is told by `check` what nft would not take, and nothing of it touches the kernel', async () => {
    const { postern, server, folder } = story
    const file = join(folder, 'clash.conf')
    writeFileSync(file, `${serverFile(['00000001 = port: 22'])}[FIREWALL]\ntable = counter\n`, { mode: 0o600 })
    const before = await server.must(['nft', 'list', 'tables'])
    const { status, stderr } = await postern.posternd('check', '--config', file)
    expect(status).to.equal(78)
    expect(stderr).to.match(/clash\.conf: nft refuses the ruleset that this file gives: .*counter/)
    expect(await server.must(['nft', 'list', 'tables'])).to.equal(before)
  })

  it('takes everything down under a running daemon, which ends', async () => {
    const { client, server, daemon } = story
    await posternd('down')
    expect(await daemon!.exited).to.deep.equal({ status: 0, signal: null })
    expect(await server.must(['nft', 'list', 'ruleset'])).to.equal('')
    expect(await client.connect(server.v4, 22)).to.equal('open')
  })

  it('gets what he gave shut by the kernel, where the daemon dies', async () => {
    const { client, server, postern } = story
    await withinLease(async () => {
      story.daemon = await postern.start()
      await posternd('open', '22', client.v4, '--lifetime', '2')
      await story.daemon.kill9()
      expect(await client.connect(server.v4, 22)).to.equal('open')
    })
    await becomesShut(client, server.v4)
  })
})
