/**
 *     client: the examples of docs/LIBRARY.md, run as they stand there by plain Node ── server: posternd, an echo on port 22
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { KEY, KNOCK_PORT, REALM, USER } from '../support/installation.js'
import type { Outcome } from '../support/namespace.js'
import { poll } from '../support/poll.js'
import { begin, type Story } from '../support/story.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGE = readFileSync(join(ROOT, 'docs/LIBRARY.md'), 'utf8')

/** The code below a heading. */
function exampleOf(heading: string): string {
  const section = PAGE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('    ') || line === '')
  const code = lines
    .map((line) => line.slice(4))
    .join('\n')
    .trim()
  if (!code.startsWith('import '))
    throw new Error(`docs/LIBRARY.md, ${heading}: expected an example that begins with its imports`)
  return code
}

describe('the library’s examples', () => {
  let story: Story
  before(async () => {
    story = await begin({ resources: ['00000022 = port: 22 / timeout: 20 / max-timeout: 60'] })
    const { folder, server } = story
    mkdirSync(join(folder, 'program/node_modules'), { recursive: true })
    symlinkSync(ROOT, join(folder, 'program/node_modules/postern'))
    mkdirSync(join(folder, 'home/.config/postern'), { recursive: true })
    const host = [
      `[HOST gate]`,
      `address = ${server.v4}`,
      `port = ${KNOCK_PORT}`,
      `realm = ${REALM}`,
      `user = ${USER}`,
      `key = ${KEY}`,
    ]
    const file = [...host, 'resource 00000022 = port: 22 / timeout: 20'].join('\n')
    writeFileSync(join(folder, 'home/.config/postern/postern.conf'), `${file}\n`, { mode: 0o600 })
  })
  after(() => story.close())
  afterEach(async () => {
    await story.postern.posternd('revoke', '22', story.client.v4, ...story.postern.at)
  })

  const run = (code: string): Promise<Outcome> => {
    const { client, server, folder } = story
    const program = join(folder, 'program/example.mjs')
    writeFileSync(program, code)
    const env = { HOME: join(folder, 'home'), XDG_CONFIG_HOME: '', SERVER: server.v4, REALM, KEY }
    return client.run([process.execPath, program], { env })
  }
  const leases = async () => (await story.postern.status()).leases

  it('connects through the gate by what the file says', async () => {
    const { status, stderr } = await run(`${exampleOf('A connection through the gate')}\nsocket.end('hello')`)
    expect(stderr).to.equal('')
    expect(status).to.equal(0)
    expect(await leases()).to.have.length(1)
  })

  it('knocks without a file, and says where it is open', async () => {
    const code = exampleOf('Without a file').replace('user: 1', `user: 0x${USER}`)
    const { stdout, stderr } = await run(code)
    expect(stderr).to.equal('')
    expect(stdout).to.equal(`knocked at ${story.server.v4}, open at ${story.server.v4}\n`)
  })

  it('tells what can go wrong', async () => {
    const code = exampleOf('What can go wrong')
    expect((await run(code.replace("'gate'", "'gaet'"))).stdout).to.match(/^config .*no \[HOST gaet\]/)
    await story.daemon!.stop()
    expect((await run(code)).stdout).to.match(/^shut port 22 of .* is still shut 0.3 s after the knock/)
    story.daemon = await story.postern.start()
  })

  it('gives, prolongs and takes back a lease', async () => {
    const { stderr } = await run(exampleOf('A lease by hand'))
    expect(stderr).to.equal('')
    await poll('only the other machine’s lease is left', async () => {
      const left = await leases()
      return left.length === 1 && left[0]!.address === '198.51.100.7'
    })
  })
})
