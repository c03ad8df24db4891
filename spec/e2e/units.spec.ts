/**
 * The systemd units: how little they may do, as systemd itself counts it, and that the daemon starts and opens with no more
 * rights than its unit leaves it.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { HAS_ACCOUNTS } from '../support/accounts.js'
import { becomesOpen, begin, type Story } from '../support/story.js'

const UNITS = fileURLToPath(new URL('../../conf/systemd', import.meta.url))
const POSTERN = readFileSync(join(UNITS, 'postern.service'), 'utf8')

for (const unit of ['postern.service', 'postern-gate.service', 'postern-sleep.service'])
  it(`${unit} is exposed 2.0 at most, of 10`, () => {
    const command = ['security', '--offline=yes', '--threshold=100', '--no-pager', join(UNITS, unit)]
    const said = execFileSync('systemd-analyze', command, { encoding: 'utf8' })
    const [, exposure] = /Overall exposure level for \S+: ([0-9.]+)/.exec(said) ?? []
    expect(Number(exposure), said).to.be.at.most(2)
    expect(Number(exposure)).to.be.above(0)
  })

describe('the daemon with the capabilities of its unit and no others', () => {
  let story: Story
  before(async function () {
    if (!HAS_ACCOUNTS) this.skip()
    story = await begin({ daemon: false, resources: ['00000001 = port: 22 / timeout: 30 / instant: yes'] })
  })
  after(() => story?.close())

  it('starts, lowers its children, and opens', async () => {
    const { client, server, postern } = story
    const [, names = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(POSTERN) ?? []
    const capabilities = names.split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`)
    const [, state] = /--state-dir (\S+)/.exec(postern.runArguments.join(' ')) ?? []
    const [, run] = /--run-dir (\S+)/.exec(postern.runArguments.join(' ')) ?? []
    await server.must(['install', '-d', run!, state!])
    const before = [...POSTERN.matchAll(/^ExecStartPre=\+(.*)$/gm)]
    expect(before).to.have.length(2)
    for (const [, command] of before) {
      const argv = command!.replace('/run/postern', run!).replace('/var/lib/postern', state!).split(' ')
      await server.must(argv)
    }
    const argv = [join(postern.folder, 'bin/posternd'), 'run', ...postern.runArguments]
    const bounding = ['setpriv', `--bounding-set=-all,${capabilities.join(',')}`]
    const daemon = server.spawn([...bounding, '--no-new-privs', ...argv], { POSTERN_NODE: '/run/node' })
    await postern.hears(daemon)
    await postern.knock(client, server.v4, '22')
    await becomesOpen(client, server.v4)
    await daemon.kill9()
  })
})
