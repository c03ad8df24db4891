import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const starter = fileURLToPath(new URL('../../lib/daemon/starter.pl', import.meta.url))
const isRealRoot =
  process.geteuid!() === 0 && /^\s*0\s+0\s+4294967295\n/.test(readFileSync('/proc/self/uid_map', 'latin1'))

describe('the starter', () => {
  for (const flag of ['--user', '--listener-user'])
    it(`lets no process keep real root's uid (${flag} -), and one's own namespace's it does`, () => {
      // A folder that cannot be made ends it, where nothing else has.
      const words = ['perl', starter, 'node', '/nonexistent', '--run-dir', '/proc/no', flag, '-']
      const other = flag === '--user' ? '--listener-user' : '--user'
      const [program, ...rest] = [...words, other, isRealRoot ? '1' : '-']
      const here = spawnSync(program!, rest, { encoding: 'utf8' })
      expect(here.stderr).to.match(isRealRoot ? /as root that would give/ : /\/proc\/no: /)
      expect(here.status).to.equal(isRealRoot ? 2 : 77)
      const namespace = ['--user', '--map-root-user', '--net', ...words, other, '-']
      const there = spawnSync('unshare', namespace, { encoding: 'utf8' })
      expect(there.stderr).to.match(/^posternd: \/proc\/no: /)
      expect(there.status).to.equal(77)
    })

  it('says how a user that is not there is made', () => {
    const words = ['--user', '--map-root-user', 'perl', starter, 'node', '/nonexistent', '--run-dir', '/proc/no']
    const { status, stderr } = spawnSync('unshare', [...words, '--user', 'nobodyyet'], { encoding: 'utf8' })
    expect(stderr).to.include('user "nobodyyet" does not exist: useradd --system --user-group')
    expect(status).to.equal(69)
  })
})
