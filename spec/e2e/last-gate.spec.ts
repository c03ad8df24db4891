/**
 *     server: a configuration that was good, then spoilt; a boot in between (the ruleset is gone)
 */
import { join } from 'node:path'
import { expect } from 'chai'
import { begin, type Story } from '../support/story.js'

describe('a configuration that was spoilt', () => {
  let story: Story
  beforeEach(async () => {
    story = await begin()
    await story.daemon!.stop()
    story.postern.configure('[GENERAL\n')
  })
  afterEach(() => story.close())

  it('leaves the gate that is up', async () => {
    const { client, server, postern } = story
    const { status, stderr } = await postern.posternd('up', ...postern.at, '--state-dir', join(story.folder, 'state'))
    expect(status).to.equal(78)
    expect(stderr).to.match(/the gate that is up stays as it is, shut/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })

  it('does not leave the ports open after a boot: `up` raises the gate of the last good one', async () => {
    const { client, server, postern } = story
    await server.must(['nft', 'flush', 'ruleset'])
    expect(await client.connect(server.v4, 22)).to.equal('open')
    const { status, stderr } = await postern.posternd('up', ...postern.at, '--state-dir', join(story.folder, 'state'))
    expect(status).to.equal(78)
    expect(stderr).to.match(/the gate of the last good configuration is up, shut/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect(await client.connect(server.v6, 22)).to.equal('refused')
  })

  it('nor does the daemon, which ends with 78', async () => {
    const { client, server, postern } = story
    await server.must(['nft', 'flush', 'ruleset'])
    const daemon = postern.spawn()
    expect(await daemon.exited).to.include({ status: 78 })
    expect(daemon.lines.join('\n')).to.match(/gate of the last good configuration is up/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })

  it('does not even where it was cut to nothing, which reads as a good file', async () => {
    const { client, server, postern } = story
    postern.configure('')
    await server.must(['nft', 'flush', 'ruleset'])
    const { status, stderr } = await postern.posternd('up', ...postern.at, '--state-dir', join(story.folder, 'state'))
    expect(status).to.equal(78)
    expect(stderr).to.match(/ports were guarded before/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    await server.must(['nft', 'flush', 'ruleset'])
    expect(await postern.spawn().exited).to.include({ status: 78 })
    expect(await client.connect(server.v4, 22)).to.equal('refused')
  })
})
