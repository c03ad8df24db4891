/**
 * fwknop's packet between postern's own client and posternd, which reads access.conf, while the client reads .fwknoprc:
 *
 *     client: postern ── server: posternd with an access.conf, a service on 22 ── stranger
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { bundle, ROOT } from '../cli/program.js'
import { accessFile, rcStanza } from '../support/fwknop-peer.js'
import { beginFwknop, type FwknopStory } from '../support/fwknop-story.js'
import { becomesShut, withinLease } from '../support/story.js'

describe('fwknop’s packet from postern to posternd', () => {
  let story: FwknopStory
  before(async () => {
    bundle()
    story = await beginFwknop({ access: accessFile('tcp/22', { timeoutSeconds: 2 }) })
    const rc = [rcStanza('four', story.server.v4), rcStanza('six', story.server.v6)]
    writeFileSync(join(story.folder, '.fwknoprc'), rc.join(''), { mode: 0o600 })
  })
  after(() => story.close())
  const postern = (line: string) =>
    story.client.run([join(ROOT, 'bin/postern'), ...line.split(' ')], { env: { HOME: story.folder, LOGNAME: 'alice' } })

  for (const [stanza, family] of [
    ['four', 'v4'],
    ['six', 'v6'],
  ] as const)
    it(`opens a port over IP${family}, for this machine alone`, async () => {
      const { client, stranger, server } = story
      expect(await client.connect(server[family], 22)).not.to.equal('open')
      await withinLease(async () => {
        await becomesShut(client, server[family])

        const { status, stdout, stderr } = await postern(`knock -n ${stanza} --wait 22`)

        expect(stdout).to.match(new RegExp(`^port 22 of ${server[family]} is open`))
        expect([status, stderr]).to.deep.equal([0, ''])
        expect(await client.connect(server[family], 22)).to.equal('open')
        expect(await stranger.connect(server[family], 22)).not.to.equal('open')
      })
      await becomesShut(client, server[family])
    })

  it('says what to do where posternd has no such keys', async () => {
    const text = rcStanza('four', story.server.v4, ['KEY wrong', 'HMAC_KEY wrong-too'])
    writeFileSync(join(story.folder, 'other'), text, { mode: 0o600 })
    const { status, stderr } = await postern(`knock --fwknoprc ${join(story.folder, 'other')} -n four --wait -t 0.3 22`)
    expect(stderr).to.include("still shut 0.3 s after the knock at 198.18.0.1: look at the server's log")
    expect(status).to.equal(1)
    await story.counted('refused fwknop-hmac')
  })
})
