/**
 *     npm pack ──▶ postern-N.tgz ──▶ npm install --global, in an empty home, an empty prefix, and no checkout anywhere
 *
 * There is no network in here: what npm asks the registry for was put into a cache by scripts/getting.
 */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { CONFIG, ROOT } from '../cli/program.js'
import { Listener } from '../client/listener.js'

const run = promisify(execFile)
const SERVER = `[GENERAL]\nport = 5800 / udp\n[SPA]\nrealm = gate\n[KEYS]\n1 = ${'C3'.repeat(32)}\n[RESOURCES]\n22 = port: 22\n`
const { PATH, POSTERN_NPM_CACHE } = process.env
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

describe('npm install --global of the package', function () {
  this.timeout(120_000)
  let home: string
  let prefix: string
  /** Runs a program where the checkout is an empty folder, with this home and nothing else in the environment. */
  const away = (...argv: string[]) => {
    const hidden = 'mount -t tmpfs tmpfs "$0" && cd / && exec "$@"'
    const env = { PATH: `${prefix}/bin:${PATH}`, HOME: home }
    return run('unshare', ['--mount', 'sh', '-euc', hidden, ROOT, ...argv], { env })
  }

  before(async () => {
    expect(POSTERN_NPM_CACHE, 'scripts/test fills it').to.be.a('string')
    home = mkdtempSync(join(tmpdir(), 'home-'))
    prefix = join(home, 'prefix')
    // dist is what scripts/test has just built.
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', home], { cwd: ROOT })
    const tarball = join(home, `postern-${version}.tgz`)
    const quietly = ['--offline', '--no-audit', '--no-fund', '--loglevel', 'error']
    await away('npm', 'install', '--global', ...quietly, '--prefix', prefix, '--cache', POSTERN_NPM_CACHE!, tarball)
  })
  after(() => rmSync(home, { recursive: true }))

  const write = (name: string, text: string) => {
    const path = join(home, name)
    writeFileSync(path, text)
    chmodSync(path, 0o600)
    return path
  }

  it('puts both programs on the path', async () => {
    for (const program of ['postern', 'posternd'])
      expect((await away(program, '--version')).stdout, program).to.equal(`${version}\n`)
  })

  it('gives a client that knocks', async () => {
    const server = await Listener.on(4)
    const words = ['knock', '-c', write('postern.conf', CONFIG), '-P', String(server.port), '127.0.0.1', '22']
    expect((await away('postern', ...words)).stdout).to.equal('knocked for port 22 at 127.0.0.1\n')
    await server.hasHeard(1)
    server.close()
  })

  it('gives a client that explains, and reads a file of variables', async () => {
    expect((await away('postern', 'knock', '--help')).stdout).to.include('--lifetime')
    const env = write('cron.env', 'POSTERN_HOST=127.0.0.1\n')
    const words = ['knock', '-q', '-c', join(home, 'postern.conf'), '-P', '9', '--env-file', env, '22']
    expect((await away('postern', ...words)).stdout).to.equal('')
  })

  it('gives a server that reads its configuration', async () => {
    const { stdout } = await away('posternd', 'check', '--config', write('posternd.conf', SERVER))
    expect(stdout).to.include('22')
  })

  it('gives a library', async () => {
    const program = join(prefix, 'lib/program.mjs')
    writeFileSync(program, `import * as postern from 'postern'\nconsole.log(typeof postern.knock)\n`)
    expect((await away(process.execPath, program)).stdout).to.equal('function\n')
  })

  it('brings manual pages, completion scripts, units and samples, and no key, no spec and no source map', async () => {
    for (const page of ['man1/postern.1', 'man8/posternd.8', 'man5/postern.conf.5', 'man5/posternd.conf.5'])
      expect(existsSync(join(prefix, 'share/man', page)), page).to.equal(true)
    const { stdout } = await run('find', ['.', '-path', './node_modules', '-prune', '-o', '-type', 'f', '-print'], {
      cwd: join(prefix, 'lib/node_modules/postern'),
    })
    const files = stdout.split('\n')
    expect(files).to.include.members([
      './conf/systemd/postern.service',
      './conf/posternd.conf',
      './dist/completions/postern.bash',
    ])
    expect(files.filter((file) => /spec|debian|\.key$|\.map$|client\/postern-/.test(file))).to.deep.equal([])
  })
})
