import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

  it('tells a monitor that it is just making what it is told itself, and does not wait until it may kill it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'starter-'))
    try {
      // SIGTERM comes between the fork and the note of its pid; nothing is killed for being slow.
      writeFileSync(
        join(folder, 'TermAtFork.pm'),
        `BEGIN { *CORE::GLOBAL::alarm = sub { }; *CORE::GLOBAL::fork = sub { my $pid = CORE::fork(); kill TERM => $$ if $pid; $pid } } 1;`,
      )
      const node = join(folder, 'node')
      writeFileSync(node, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
      const folders = ['--run-dir', join(folder, 'run'), '--state-dir', join(folder, 'state')]
      const words = [starter, node, folder, ...folders, '--user', '-', '--listener-user', '-']
      const { status, signal, stderr } = spawnSync(
        'unshare',
        ['--user', '--map-root-user', '--net', 'perl', ...words],
        {
          encoding: 'utf8',
          timeout: 30_000,
          killSignal: 'SIGKILL',
          env: { ...process.env, PERL5OPT: `-I${folder} -MTermAtFork` },
        },
      )
      expect({ status, signal, stderr }).to.deep.equal({ status: 0, signal: null, stderr: '' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }).timeout(60_000)
})
