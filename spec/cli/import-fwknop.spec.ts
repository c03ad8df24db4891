import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { loadServerConfig } from '../../lib/config/files.js'
import { bundle, bundlePosternd, Home, ROOT } from './program.js'

const SECRET = 'not to be shown'
const ACCESS = `SOURCE 192.0.2.0/24
KEY ${SECRET}
HMAC_KEY ${SECRET} either
OPEN_PORTS tcp/22, udp/1194
MAX_FW_TIMEOUT 3600
`
const RC = `[default]
ALLOW_IP source
[gate]
SPA_SERVER gate.example.org
ACCESS tcp/22
KEY secretsecret
HMAC_KEY hiddenhidden
[old]
SPA_SERVER 192.0.2.7
USE_GPG Y
`

describe('posternd import fwknop', () => {
  let folder: string
  before(() => {
    bundlePosternd()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-import-'))
    write('access.conf', ACCESS)
    write('fwknopd.conf', 'PCAP_FILTER udp port 62202;\nMAX_SPA_PACKET_AGE 60;\n')
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  const run = (...more: string[]) => {
    const files = ['--access-file', join(folder, 'access.conf'), '--config-file', join(folder, 'fwknopd.conf')]
    const words = ['import', 'fwknop', ...files, ...more]
    return spawnSync(join(ROOT, 'bin/posternd'), words, { cwd: folder, encoding: 'utf8' })
  }

  it('says what would be taken over and what differs, shows no key, and changes nothing', () => {
    const { status, stdout, stderr } = run()
    for (const word of [
      /heard on +UDP port 62202\n/,
      /packets +up to 60 s old or ahead/,
      /stanza +access.conf:1 +from 192.0.2.0\/24 +opens tcp\/22, udp\/1194 +30 s, at most 3600 s +HMAC sha256/,
      /posternd shuts tcp\/22, udp\/1194 by itself/,
      /IPv6 is guarded too/,
      /a stanza without HMAC_KEY is refused/,
      /Nothing was changed. --write/,
    ])
      expect(stdout).to.match(word)
    expect(stdout + stderr).not.to.include(SECRET)
    expect(status).to.equal(0)
    expect(readdirSync(folder)).to.have.members(['access.conf', 'fwknopd.conf'])
  })

  it('writes a file that refers to fwknop’s, which stay as they are', () => {
    const { status, stdout } = run('--write', '--output', 'posternd.conf')
    expect(stdout).to.match(
      /Next:\n.*chgrp postern .*access.conf .*fwknopd.conf && chmod 640.*disable --now fwknop-server/s,
    )
    expect(status).to.equal(0)
    const path = join(folder, 'posternd.conf')
    expect(statSync(path).mode & 0o777 & ~0o040).to.equal(0o600)
    expect(readFileSync(path, 'utf8')).not.to.include(SECRET)
    expect(readFileSync(join(folder, 'access.conf'), 'utf8')).to.equal(ACCESS)
    const { fwknop, spa, resources, warnings } = loadServerConfig(path)
    expect([fwknop!.ports, spa.ports, fwknop!.settings.maxAgeMs]).to.deep.equal([[62202], [62202], 60_000])
    expect([...resources.values()].map(({ name }) => name)).to.deep.equal(['fwknop-tcp-22', 'fwknop-udp-1194'])
    expect(warnings).to.deep.equal([])
  })

  it('takes a stanza without HMAC_KEY only where that is said', () => {
    write('access.conf', ACCESS.replace(/HMAC_KEY.*\n/, ''))
    const refused = run()
    expect(refused.stderr).to.match(/access.conf:1: a stanza without HMAC_KEY/)
    expect(refused.status).to.equal(78)
    const { status, stdout } = run('--accept-without-hmac')
    expect(stdout)
      .to.match(/NO HMAC/)
      .and.match(/a stanza without HMAC_KEY is taken as you said/)
    expect(status).to.equal(0)
  })

  it('says what to name where no stanza has OPEN_PORTS, for then nothing would be guarded or opened', () => {
    write('access.conf', ACCESS.replace(/OPEN_PORTS.*\n/, ''))
    const { status, stdout } = run('--write', '--output', 'posternd.conf')
    expect(stdout)
      .to.match(/opens nothing/)
      .and.match(/posternd shuts nothing yet, and nothing can be opened: no stanza has OPEN_PORTS/)
      .and.match(/Next:\n +editor posternd.conf +# in \[RESOURCES\], name the ports/)
    expect(status).to.equal(0)
    const path = join(folder, 'posternd.conf')
    const written = readFileSync(path, 'utf8')
    writeFileSync(path, written.replace('# [RESOURCES]', '[RESOURCES]').replace('# 00000022', '00000022'))
    const { fwknop, resources } = loadServerConfig(path)
    expect([...resources.values()].map(({ name }) => name)).to.deep.equal(['ssh'])
    expect([...fwknop!.settings.resources.keys()]).to.deep.equal(['tcp/22'])
  })

  it('takes the access.conf that fwknopd.conf names, where the command line names none', () => {
    write('fwknopd.conf', `ACCESS_FILE ${join(folder, 'other.conf')};\n`)
    write('other.conf', ACCESS.replace('22', '2222'))
    const words = ['import', 'fwknop', '--config-file', 'fwknopd.conf', '--output', 'posternd.conf']
    const from = (...more: string[]) =>
      spawnSync(join(ROOT, 'bin/posternd'), [...words, ...more], { cwd: folder, encoding: 'utf8' })
    expect(from().stdout)
      .to.match(/other\.conf can be taken over:/)
      .and.match(/opens tcp\/2222/)
    const named = from('--access-file', 'access.conf')
    expect(named.stdout).to.match(/\/access\.conf can be taken over:/)
    expect(named.stderr).to.match(/ACCESS_FILE .*other\.conf: not read/)
  })

  it('says what makes its files readable, and the folders that they are in', () => {
    const more = join(folder, 'more')
    mkdirSync(more, { mode: 0o700 })
    write('more/bob.conf', ACCESS.replace('22', '2222'))
    write('access.conf', `${ACCESS}%include_folder ${more}\n`)
    const { stdout } = run('--write', '--output', 'posternd.conf')
    expect(stdout).to.match(/chgrp postern \S+ \S+\/more && chmod 750 \S+ \S+\/more +#/)
    expect(stdout).to.match(/chgrp postern \S+access.conf \S+bob.conf \S+fwknopd.conf && chmod 640 /)
  })

  it('names file and line of what posternd does not do', () => {
    write('access.conf', `${ACCESS}CMD_CYCLE_OPEN /bin/true\n`)
    const { status, stdout, stderr } = run('--write', '--output', 'posternd.conf')
    expect(stderr).to.match(/access.conf:6: CMD_CYCLE_OPEN: postern opens the port in nftables by itself/)
    expect([status, stdout, existsSync(join(folder, 'posternd.conf'))]).to.deep.equal([78, '', false])
  })

  it('says the same as posternd check', () => {
    run('--write', '--output', 'posternd.conf')
    const words = ['check', '--config', join(folder, 'posternd.conf')]
    const { stdout } = spawnSync(join(ROOT, 'bin/posternd'), words, { encoding: 'utf8' })
    expect(stdout)
      .to.match(/fwknop's clients are heard on UDP 62202; packets up to 60 s old; 1 stanza\n/)
      .and.match(/access.conf:1 +from 192.0.2.0\/24 +opens tcp\/22, udp\/1194/)
      .and.match(/F0000016 +fwknop-tcp-22 +tcp 22 +30 s +fwknop's stanzas alone/)
    const json = JSON.parse(
      spawnSync(join(ROOT, 'bin/posternd'), [...words, '--json'], { encoding: 'utf8' }).stdout,
    ) as { fwknop: { stanzas: unknown[] } }
    expect(json.fwknop.stanzas[0]).to.deep.include({ id: 'F1000000', opens: ['tcp/22', 'udp/1194'], hmac: 'sha256' })
    expect(JSON.stringify(json)).not.to.include(SECRET)
  })
})

describe('postern import fwknop', () => {
  let home: Home
  before(bundle)
  beforeEach(() => {
    home = new Home()
    home.write('.fwknoprc', RC)
  })
  afterEach(() => home.remove())
  const run = (line: string) => home.postern(`import fwknop ${line}`.trim().split(' '))

  it('says what each stanza means and what differs, shows no key, and changes nothing', async () => {
    const { code, out, err } = await run('')
    expect(out)
      .to.match(/\[gate\] +gate.example.org, UDP port 62201; tcp\/22; for source; HMAC sha256/)
      .and.match(/Nothing was changed. --write makes .*postern.conf of it/)
      .and.not.match(/secretsecret|hiddenhidden/)
    expect(err).to.match(/stanza "old" cannot be knocked with:\n.*fwknoprc:10: USE_GPG: GnuPG is not spoken here/)
    expect(code).to.equal(0)
    expect(existsSync(home.config)).to.equal(false)
  })

  it('writes a file that refers to .fwknoprc, and to one stanza where that is asked for', async () => {
    const { code, out } = await run('--stanza gate --write')
    expect(out).to.match(/Next:\n +postern knock --wait gate /)
    expect(code).to.equal(0)
    expect(statSync(home.config).mode & 0o777).to.equal(0o600)
    const config = readClientConfig(readFileSync(home.config, 'utf8'), 'postern.conf')
    expect(config.protocol).to.equal('fwknop')
    expect(config.fwknop).to.deep.equal({ rcFile: join(home.folder, '.fwknoprc'), stanza: 'gate' })
    expect(config.warnings).to.deep.equal([])
  })

  const OWN = `[SPA]\nrealm = lab.example\n[KEYS]\n0000000A = ${'C3'.repeat(32)}\n`

  it('adds a server to a file that is there, which keeps what it says', async () => {
    home.write('.config/postern/postern.conf', OWN)
    expect((await run('--stanza gate')).out).to.match(/--write adds \[HOST gate\] to .*postern.conf, which is there/)
    expect(readFileSync(home.config, 'utf8')).to.equal(OWN)
    const { code, out } = await run('--stanza gate --write')
    expect(out).to.match(/Added \[HOST gate\] to .*postern.conf\n\nNext:\n +postern knock --wait gate .*\n$/)
    expect(code).to.equal(0)
    const written = readFileSync(home.config, 'utf8')
    expect(written).to.equal(`${OWN}\n[HOST gate]\naddress = gate.example.org\nprotocol = fwknop\n`)
    expect((await run('--stanza gate --write')).code).to.equal(0)
    expect(readFileSync(home.config, 'utf8')).to.equal(written)
  })

  it('names the file where it is not the usual one, and refuses a second one', async () => {
    home.write('.config/postern/postern.conf', OWN)
    home.write('other', RC)
    expect((await run(`${join(home.folder, 'other')} --stanza gate --write`)).code).to.equal(0)
    const config = readClientConfig(readFileSync(home.config, 'utf8'), 'postern.conf')
    expect(config.fwknop).to.deep.equal({ rcFile: join(home.folder, 'other') })
    const { code, err } = await run('--stanza gate --write')
    expect(err).to.match(/\[FWKNOP\] rc-file is .*other: one file is read/)
    expect(code).to.equal(78)
  })

  it('takes no name that the file has for another server', async () => {
    const text = `${OWN}[HOST gate]\naddress = 192.0.2.1\nprotocol = spa\n`
    home.write('.config/postern/postern.conf', text)
    const { code, err } = await run('--stanza gate --write')
    expect(err).to.match(/postern.conf:5: \[HOST gate\] is there, for another server or protocol/)
    expect([code, readFileSync(home.config, 'utf8')]).to.deep.equal([78, text])
  })

  it('says how fwknop makes a stanza of a command line that it kept', async () => {
    home.write('.fwknop.run', 'fwknop -A tcp/22 -s -D 192.0.2.7 --key-rijndael secretsecret --key-hmac hiddenhidden \n')
    const { code, err } = await run(join(home.folder, '.fwknop.run'))
    expect(err).to.match(/a command line that fwknop saved: .*--save-rc-stanza -n NAME --test/)
    expect(err).not.to.match(/secretsecret|hiddenhidden/)
    expect(code).to.equal(78)
  })

  it('refuses a stanza without a key, where that one is asked for', async () => {
    home.write('.fwknoprc', RC.replace(/^(HMAC_)?KEY .*\n/gm, ''))
    const { code, out, err } = await run('--stanza gate --write')
    expect(err).to.match(/\[gate\]: no key: expected KEY_BASE64/)
    expect([code, out, existsSync(home.config)]).to.deep.equal([78, '', false])
  })

  for (const [line, code, message] of [
    ['--stanza old', 78, 'fwknoprc:10: USE_GPG: GnuPG is not spoken here'],
    ['--stanza none', 78, 'stanza "none": no such stanza: expected one of "default", "gate", "old"'],
    ['--fwknoprc nowhere', 78, 'nowhere: no such file'],
    ['--realm x', 2, '--realm with import fwknop: it is not for it'],
    ['a --fwknoprc b', 2, '--fwknoprc with FILE: expected one of them'],
  ] as const)
    it(`refuses: postern import fwknop ${line} (${code})`, async () => {
      const ran = await run(line)
      expect(ran.err).to.include(message)
      expect({ code: ran.code, out: ran.out }).to.deep.equal({ code, out: '' })
    })
})
