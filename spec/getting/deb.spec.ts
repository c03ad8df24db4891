/**
 *     scripts/deb ──▶ postern_N_all.deb ──▶ dpkg --install, --remove, --purge, in a copy of this system
 *
 * The copy is an overlay over this machine's files, within this run's mount namespace: nothing of the machine changes. As root
 * alone, for dpkg's database is root's; an ordinary user looks into the package.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { ROOT } from '../cli/program.js'
import { HAS_ACCOUNTS } from '../support/accounts.js'

const run = promisify(execFile)
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const CONF = `[GENERAL]\nport = 5800 / udp\n[SPA]\nrealm = gate\n[KEYS]\n1 = ${'C3'.repeat(32)}\n[RESOURCES]\n22 = port: 22\n`

const UNITS = ['postern-gate.service', 'postern-sleep.service', 'postern.service']

let folder: string
let deb: string

describe('the Debian package', function () {
  this.timeout(120_000)
  before(async () => {
    folder = mkdtempSync('/run/tmp/deb-')
    const { stdout } = await run(join(ROOT, 'scripts/deb'), [folder])
    deb = stdout.trim()
  })

  it('is named by its version, and depends on a Node that can run it', async () => {
    expect(deb).to.equal(join(folder, `postern_${version}_all.deb`))
    const { stdout } = await run('dpkg-deb', ['--field', deb, 'Depends'])
    expect(stdout)
      .to.match(/nodejs \(>= 20\.19\)/)
      .and.match(/nftables/)
  })

  it('holds programs, units, users, manual, completion and no configuration but its variables', async () => {
    const { stdout } = await run('dpkg-deb', ['--contents', deb])
    for (const path of [
      './usr/bin/postern -> ../share/postern/bin/postern',
      './usr/sbin/posternd -> ../share/postern/bin/posternd',
      './usr/lib/systemd/system/postern-gate.service',
      './usr/lib/systemd/system/postern-sleep.service',
      './usr/lib/sysusers.d/postern.conf',
      './usr/share/postern/conf/systemd/letmein.conf',
      './usr/share/man/man8/posternd.8.gz',
      './usr/share/bash-completion/completions/posternd',
      './usr/share/zsh/vendor-completions/_postern',
      './usr/share/fish/vendor_completions.d/postern.fish',
    ])
      expect(stdout).to.include(path)
    expect(stdout.split('\n').filter((line) => / \.\/etc\/.*[^/]$/.test(line))).to.have.length(1)
    expect(stdout).not.to.match(/\.script\.js\.|\/spec\/|-> \//)
  })

  if (HAS_ACCOUNTS) describe('in a copy of this system', inCopy)
})

function inCopy(): void {
  let copy: string
  const inside = (...argv: string[]) =>
    run('chroot', [copy, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin', 'LC_ALL=C.UTF-8', ...argv])
  const there = (path: string) => existsSync(join(copy, path))

  before(async () => {
    copy = join(folder, 'copy')
    const layers = join(folder, 'layers')
    for (const path of [copy, layers]) mkdirSync(path)
    await run('mount', ['-t', 'tmpfs', 'tmpfs', layers])
    for (const layer of ['upper', 'work']) mkdirSync(join(layers, layer), { mode: 0o755 })
    const options = `lowerdir=/,upperdir=${layers}/upper,workdir=${layers}/work`
    await run('mount', ['-t', 'overlay', 'overlay', '-o', options, copy])
    for (const path of ['proc', 'sys', 'dev']) await run('mount', ['--rbind', `/${path}`, join(copy, path)])
    await run('mount', ['-t', 'tmpfs', 'tmpfs', join(copy, 'run')])
    // The users of the laboratory are not those of a fresh system.
    for (const file of ['passwd', 'group', 'shadow', 'gshadow']) {
      const path = join(copy, 'etc', file)
      const lines = readFileSync(path, 'utf8').split('\n')
      writeFileSync(path, lines.filter((line) => !/^postern(-listener)?:/.test(line)).join('\n'))
    }
    await run('cp', [deb, join(copy, 'run/postern.deb')])
    await provideNode()
  })
  after(async () => {
    await run('umount', ['--lazy', copy])
  })

  /** Where this system's Node is none of dpkg's, an empty package says that it is there. */
  async function provideNode(): Promise<void> {
    const known = await inside('dpkg-query', '--show', 'nodejs').catch(() => undefined)
    if (known !== undefined) return
    const fake = join(copy, 'run/nodejs')
    mkdirSync(join(fake, 'DEBIAN'), { recursive: true })
    const fields = [
      'Package: nodejs',
      `Version: ${process.versions.node}`,
      'Architecture: all',
      'Maintainer: nobody <nobody@localhost>',
      'Description: here already',
    ]
    writeFileSync(join(fake, 'DEBIAN/control'), `${fields.join('\n')}\n`)
    await inside('dpkg-deb', '--build', '/run/nodejs', '/run/nodejs.deb')
    await inside('dpkg', '--install', '/run/nodejs.deb')
    if (!there('usr/bin/node')) await run('cp', [process.execPath, join(copy, 'usr/bin/node')])
  }

  it('is installed: both programs run, the users are there, and no port is guarded', async () => {
    await inside('dpkg', '--install', '/run/postern.deb')
    for (const program of ['postern', 'posternd'])
      expect((await inside(program, '--version')).stdout, program).to.equal(`${version}\n`)
    expect((await inside('getent', 'passwd', 'postern', 'postern-listener')).stdout.split('\n')).to.have.length(3)
    expect(there('etc/postern/posternd.conf')).to.equal(false)
    expect(statSync(join(copy, 'etc/postern')).mode & 0o777).to.equal(0o750)
    expect((await inside('nft', 'list', 'tables')).stdout).not.to.include('inet postern')
    expect((await inside('man', '--where', 'posternd')).stdout).to.include('man8/posternd.8')
  })

  it('is configured by posternd init, here and into an image, with the units that it brought', async () => {
    const here = await inside('posternd', 'init', '--yes', '--host', 'gate.example.org')
    expect(here.stdout).to.include('Wrote /etc/postern/posternd.conf (root:postern, mode 640)')
    for (const unit of UNITS)
      expect(there(`etc/systemd/system/${unit}`), 'the packaged unit is the one').to.equal(false)
    await inside('mkdir', '/run/image')
    await inside('posternd', 'init', '--yes', '--host', 'gate.example.org', '--root', '/run/image')
    for (const unit of UNITS) {
      const [packaged, put] = [`usr/lib/systemd/system/${unit}`, `run/image/etc/systemd/system/${unit}`]
      expect(readFileSync(join(copy, put), 'utf8')).to.equal(readFileSync(join(copy, packaged), 'utf8'))
    }
    await inside('rm', '/etc/postern/posternd.conf')
  })

  it('is put in again without a loss, and removed with its gate; its configuration stays', async () => {
    const conf = join(copy, 'etc/postern/posternd.conf')
    writeFileSync(conf, CONF, { mode: 0o600 })
    await inside('posternd', 'up')
    expect((await inside('nft', 'list', 'tables')).stdout).to.include('inet postern')
    await inside('dpkg', '--install', '/run/postern.deb')
    expect((await inside('nft', 'list', 'tables')).stdout, 'an upgrade opens nothing').to.include('inet postern')
    await inside('dpkg', '--remove', 'postern')
    expect((await inside('nft', 'list', 'tables')).stdout).not.to.include('inet postern')
    expect(readFileSync(conf, 'utf8')).to.equal(CONF)
    expect(there('usr/sbin/posternd')).to.equal(false)
    expect(there('etc/default/postern')).to.equal(true)
  })

  it('is purged with configuration and state', async () => {
    mkdirSync(join(copy, 'var/lib/postern/monitor'), { recursive: true })
    await inside('dpkg', '--purge', 'postern')
    for (const path of ['etc/postern', 'var/lib/postern', 'run/postern', 'etc/default/postern', 'usr/share/postern'])
      expect(there(path), path).to.equal(false)
    const rest = await inside('dpkg-query', '--list', 'postern').catch(({ code }: { code: number }) => code)
    expect(rest, 'dpkg knows nothing of it').to.equal(1)
  })
}
