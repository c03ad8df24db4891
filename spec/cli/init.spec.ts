/** `posternd init` into an empty root, by flags and by questions on a terminal (util-linux's script makes one). */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sshdPorts } from '../../lib/cli/daemon/init/survey.js'
import { readServerConfig } from '../../lib/config/server.js'
import { decodeEnrolment } from '../../lib/wire/enrolment.js'
import { bundlePosternd, ROOT } from './program.js'
import { onTerminal } from './terminal.js'

const PROGRAM = join(ROOT, 'bin/posternd')
const UNITS = [
  'etc/systemd/system/postern-gate.service',
  'etc/systemd/system/postern.service',
  'etc/sysusers.d/postern.conf',
  'etc/systemd/system/postern-sleep.service',
]

describe('posternd init', () => {
  let root: string
  before(bundlePosternd)
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-init-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function init(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(PROGRAM, ['init', '--root', root, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
  const file = () => join(root, 'etc/postern/posternd.conf')
  const read = () => readServerConfig(readFileSync(file(), 'utf8'), file())

  it('without a terminal asks nothing, and says exactly what it wrote', () => {
    const { status, stdout, stderr } = init('--host', 'gate.example.org', '--user', 'alice')
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    for (const path of [...UNITS, 'etc/postern/posternd.conf']) {
      expect(stdout).to.include(`Wrote ${join(root, path)}`)
      expect(statSync(join(root, path)).mode & 0o777).to.equal(path.endsWith('posternd.conf') ? 0o600 : 0o644)
    }
    const { spa, resources, people, users, warnings } = read()
    expect(spa)
      .to.include({ realm: 'gate.example.org' })
      .and.deep.include({ ports: [5800] })
    expect([...resources.values()].map(({ name, target }) => ({ name, target }))).to.deep.equal([
      { name: 'ssh', target: { kind: 'ports', ports: [{ first: 22, last: 22 }], protocols: ['tcp'] } },
    ])
    expect([...people]).to.deep.equal([[1, { name: 'alice' }]])
    expect([...users.keys()]).to.deep.equal([1])
    expect(warnings).to.deep.equal([])
    expect(stdout).to.not.include(Buffer.from(users.get(1)!).toString('hex').toUpperCase())
    const again = spawnSync(PROGRAM, ['enroll', 'alice', '--again', '--config', file()], { encoding: 'utf8' })
    expect(decodeEnrolment(again.stdout)).to.include({ host: 'gate.example.org', user: 1 })
  })

  it('takes ports, realm and knock port by flags', () => {
    const flags = ['--protect', '22,443,8000-8010', '--host', '192.0.2.1', '--realm', 'home', '--knock-port', 'any']
    expect(init(...flags).status).to.equal(0)
    const { spa, resources } = read()
    expect(spa).to.include({ realm: 'home', host: '192.0.2.1', ports: 'any' })
    expect([...resources.values()].map(({ name }) => name)).to.deep.equal(['ssh', 'port-443', 'port-8000-8010'])
  })

  it('finds the ports of sshd, and says what else is in the way', () => {
    mkdirSync(join(root, 'etc/ssh/sshd_config.d'), { recursive: true })
    mkdirSync(join(root, 'etc/ufw'), { recursive: true })
    mkdirSync(join(root, 'run'), { recursive: true })
    writeFileSync(join(root, 'etc/ssh/sshd_config'), '#Port 22\nInclude x\n')
    writeFileSync(join(root, 'etc/ssh/sshd_config.d/a.conf'), 'Port 2222\n')
    writeFileSync(join(root, 'etc/ufw/ufw.conf'), '# x\nENABLED=yes\n')
    writeFileSync(join(root, 'etc/nftables.conf'), '#!/usr/sbin/nft -f\nflush ruleset\n')
    writeFileSync(join(root, 'run/docker.sock'), '')
    const { stdout } = init('--host', 'gate')
    expect(read().resources.get(0x2222)).to.include({ name: 'ssh' })
    for (const word of ['ufw is on', 'docker runs', '/etc/nftables.conf flushes'])
      expect(stdout).to.include(`note: ${word}`)
  })

  it('says nothing of the /etc/nftables.conf that Debian brings and systemd does not load', () => {
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true })
    mkdirSync(join(root, 'etc'), { recursive: true })
    writeFileSync(join(root, 'etc/nftables.conf'), '#!/usr/sbin/nft -f\nflush ruleset\n')
    expect(init('--host', 'gate').stdout).not.to.include('nftables.conf')
    mkdirSync(join(root, 'etc/systemd/system/sysinit.target.wants'), { recursive: true })
    writeFileSync(join(root, 'etc/systemd/system/sysinit.target.wants/nftables.service'), '')
    expect(init('--host', 'gate', '--force').stdout).to.include('note: /etc/nftables.conf flushes')
  })

  it('says that a short name may mean nothing to clients', () => {
    expect(init('--host', 'gate').stdout).to.include(
      `note: clients will look for "gate", which is no full name and no address: where it means nothing to them, first set host = NAME in [SPA] of ${file()}\n`,
    )
    for (const host of ['gate.example.org', '192.0.2.1', '2001:db8::1'])
      expect(init('--force', '--host', host).stdout).to.not.include('note: clients')
  })

  it('never writes over what is there without --force, and then keeps a copy', () => {
    init('--host', 'gate')
    const before = readFileSync(file(), 'utf8')
    const { status, stderr } = init('--host', 'gate')
    expect(stderr).to.include(
      'is there: posternd enroll NAME adds a user to it; --force makes a new one and keeps a copy',
    )
    expect(status).to.equal(2)
    expect(readFileSync(file(), 'utf8')).to.equal(before)
    writeFileSync(join(root, UNITS[1]!), '# mine\n')
    rmSync(file())
    expect(init('--host', 'gate').stdout).to.match(/NOT written, for another is there \(--force\): .*postern\.service/)
    expect(readFileSync(join(root, UNITS[1]!), 'utf8')).to.equal('# mine\n')
    expect(init('--host', 'gate', '--force').status).to.equal(0)
    expect(readFileSync(join(root, UNITS[1]!), 'utf8')).to.include('ExecStart=posternd run')
    const copies = readdirSync(join(root, 'etc/postern')).filter((name) => name !== 'posternd.conf')
    expect(copies).to.have.length(1)
    expect(statSync(join(root, 'etc/postern', copies[0]!)).mode & 0o777).to.equal(0o600)
  })

  it('leaves units alone that a package brought, and all of them where that is asked for', () => {
    mkdirSync(join(root, 'usr/lib/systemd/system'), { recursive: true })
    writeFileSync(join(root, 'usr/lib/systemd/system/postern.service'), '')
    init('--host', 'gate')
    expect(existsSync(join(root, UNITS[1]!))).to.equal(false)
    expect(existsSync(join(root, UNITS[0]!))).to.equal(true)
    init('--host', 'gate', '--force', '--no-units')
  })

  it('asks a few questions on a terminal, again where an answer is none, and writes what was answered', async () => {
    const terminal = onTerminal([PROGRAM, 'init', '--root', root], { USER: 'alice' })
    await terminal.answer(/TCP ports to guard \[22\]/, '70000')
    await terminal.answer(/ports "70000": expected 1–65535[\s\S]*TCP ports to guard \[22\]/, '22,443')
    await terminal.answer(/Name or address that clients reach this host by \[/, 'gate.example.org')
    await terminal.answer(/knocks are heard, or any \[5800\]/, '')
    await terminal.answer(/Your name, as the first user \[alice\]/, '')
    await terminal.answer(/Write \/etc\/postern\/posternd.conf\? \[Y\/n\]/, '')
    expect(await terminal.ended(), terminal.shown).to.equal(0)
    expect([...read().resources.values()].map(({ name }) => name)).to.deep.equal(['ssh', 'port-443'])
    expect([...read().people]).to.deep.equal([[1, { name: 'alice' }]])
  })

  it('writes nothing where the last answer is no', async () => {
    const terminal = onTerminal([PROGRAM, 'init', '--root', root], {})
    for (const question of [/guard/, /reach/, /heard/, /Your name/]) await terminal.answer(question, '')
    await terminal.answer(/Write .*\? \[Y\/n\]/, 'n')
    expect(await terminal.ended()).to.equal(1)
    expect(readdirSync(root)).to.deep.equal([])
  })

  for (const [words, said] of [
    ['22', '"22": expected no argument: posternd init, or posternd init --protect 22'],
    ['--protect ssh', '--protect: ports "ssh": expected 1–65535'],
    ['--protect 22,22', '--protect: ports "22": expected each port once'],
    ['--knock-port 0', '--knock-port: knock port "0": expected 1–65535, or any'],
    ['--host a/b', '--host: host "a/b": expected a name or an address'],
    ['--user 12', '--user: user "12": expected 1–32 of'],
    ['--host', '--host: expected a value behind it'],
    ['--host a --host b', '--host is here 2 times: expected once'],
    ['--potrect 22', '--potrect is no option: did you mean --protect?'],
  ] as const)
    it(`refuses: posternd init ${words}`, () => {
      const { status, stdout, stderr } = init(...words.split(' '))
      expect(stderr).to.include(said)
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' })
      expect(readdirSync(root)).to.deep.equal([])
    })

  it('refuses a root that is not there', () => {
    const { status, stderr } = spawnSync(PROGRAM, ['init', '--root', join(root, 'no')], { encoding: 'utf8' })
    expect(stderr).to.include('expected a folder that is there')
    expect(status).to.equal(2)
  })
})

describe('what a host says of itself', () => {
  it('sshd_config', () => {
    expect(sshdPorts('')).to.deep.equal([22])
    expect(sshdPorts('#Port 1\nport 2222\n Port\t22 \nPort 22\nListenAddress 0.0.0.0:80')).to.deep.equal([2222, 22])
  })
})
