/**
 *     client ── server: [USERS] says when its user may come, and for which addresses; the kernel's fast lane obeys too
 */
import { expect } from 'chai'
import { serverFile, USER } from '../support/installation.js'
import { poll } from '../support/poll.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const SSH = '00000001 = port: 22 / timeout: 60 / max-timeout: 60 / instant: yes'
const NET = '198.18.1.0/24'

describe('a user with bounds', () => {
  let story: Story
  afterEach(() => story.close())

  const start = async (bounds: string) => {
    story = await begin({ resources: [SSH], more: `[USERS]\n${USER} = name: alice / ${bounds}\n` })
  }
  const knock = () => story.postern.knock(story.client, story.server.v4, '22')
  const refused = (why: RegExp) => story.daemon!.waitLine(why)

  it('is refused when his time is over, with a line that says who and why', async () => {
    await start('until: 2020-01-01')
    await knock()
    await refused(/refused a knock from 198\.18\.1\.2 .*: the user’s time is over \(\[USERS\] until\)/)
    expect(await story.client.connect(story.server.v4, 22)).to.equal('refused')
  })

  it('is refused outside his hours', async () => {
    const yesterday = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getDay() + 6) % 7]
    await start(`hours: ${yesterday} 00:00-00:01`)
    await knock()
    await refused(/outside the user’s hours/)
    expect(await story.client.connect(story.server.v4, 22)).to.equal('refused')
  })

  it('opens for the addresses of his networks, and for no other, and has no token that the kernel would take', async () => {
    await start(`from: ${NET}`)
    const { client, server, postern } = story
    await postern.knock(client, server.v4, '22', '--address', '198.18.2.2')
    await refused(/may not open for this address/)
    expect((await postern.status()).leases).to.deep.equal([])
    await knock()
    await becomesOpen(client, server.v4)
    expect(await server.must(['nft', 'list', 'set', 'inet', 'postern', 'inst_00000001'])).not.to.include('elements')
  })

  it('has no lease that outlives his time', async () => {
    const soon = new Date(Date.now() + 30_000).toISOString()
    await start(`until: ${soon}`)
    const { client, server, postern } = story
    await knock()
    await becomesOpen(client, server.v4)
    const [lease] = (await postern.status()).leases
    expect(lease?.remainingMs).to.be.within(1, 30_000)
  })

  it('loses the lease that he has where a reload gives him less time, and the tokens that the kernel would take', async () => {
    await start('until: 2099-01-01')
    const { client, server, postern, daemon } = story
    const tokens = () => server.must(['nft', 'list', 'set', 'inet', 'postern', 'inst_00000001'])
    await poll('tokens are in', async () => (await tokens()).includes('elements'))
    await knock()
    await becomesOpen(client, server.v4)
    postern.configure(serverFile([SSH], { more: `[USERS]\n${USER} = name: alice / until: 2020-01-01\n` }))
    daemon!.signal('SIGHUP')
    await daemon!.waitLine(/revoked: .* for 198\.18\.1\.2, user alice .*, who may not have it so long any more/)
    expect(await client.connect(server.v4, 22)).to.equal('refused')
    expect(await tokens()).not.to.include('elements')
  })
})
