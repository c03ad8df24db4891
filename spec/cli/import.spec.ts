import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { readServerConfig } from '../../lib/config/server.js'
import { bundle, bundlePosternd, Home, ROOT } from './program.js'

const KEY = 'B999CC85F190AC46C8BCDF728E70FE6CCE861E33E6B0EA5F5D98C9875E41D96F'
const LETMEIN_CONF = `[GENERAL]
port = 5800 / udp
[CLIENT]
default-user = A11C
[KEYS]
# the laptop's
0000A11C = ${KEY}
[RESOURCES]
00000022 = port: 22
00000053 = port: 53 / tcp,udp
00000004 = jump / input: EXTRA
`
const LETMEIND_CONF = `[GENERAL]
port = 5800
seccomp = kill
[NFTABLES]
family = inet
table = filter
chain-input = LETMEIN-INPUT
max-nr-rules = 50
[KEYS]
0000A11C = ${KEY}
[RESOURCES]
00000022 = port: 22 / users: 0000A11C / timeout: 30
`

describe('postern import letmein', () => {
  let home: Home
  before(bundle)
  beforeEach(() => {
    home = new Home()
    home.write('letmein.conf', LETMEIN_CONF, 0o644)
  })
  afterEach(() => home.remove())
  const run = (line: string) => home.postern(`import letmein letmein.conf ${line}`.trim().split(' '))

  it('says what would be taken over and what differs, shows no key, and changes nothing', async () => {
    const { code, out, err } = await run('')
    expect(out)
      .to.include('users with a key  1: 0000A11C')
      .and.include('resources         3: 00000022 (22), 00000053 (53), 00000004 (jump)')
      .and.include('control port      5800, udp')
      .and.match(/protocol +letmein/)
      .and.match(/Nothing was changed. --write makes .*postern.conf of it/)
      .and.not.include(KEY)
    expect({ code, err }).to.deep.equal({ code: 0, err: '' })
    expect(existsSync(home.config)).to.equal(false)
  })

  it('writes a file of the same meaning that only its owner can read', async () => {
    const { code, out } = await run('--write')
    expect(out).to.include(`Written: ${home.config} (mode 600)`)
    expect(code).to.equal(0)
    expect(statSync(home.config).mode & 0o777).to.equal(0o600)
    const text = readFileSync(home.config, 'utf8')
    expect(text).to.include("# the laptop's")
    const { file: _, resources, ...taken } = readClientConfig(text, '')
    const { file: __, resources: theirs, ...meant } = readClientConfig(LETMEIN_CONF, '')
    expect(taken).to.deep.equal(meant)
    expect([...resources.keys()]).to.deep.equal([...theirs.keys()])
    expect(readdirSync(join(home.folder, '.config/postern'))).to.deep.equal(['postern.conf'])
  })

  it('leaves seccomp out, of which each knock would warn, and says so once', async () => {
    home.write('letmein.conf', LETMEIN_CONF.replace('[CLIENT]', 'seccomp = kill\n[CLIENT]\nshape = round'))
    const { out, err } = await run('--write')
    expect(`${out}${err}`.match(/seccomp.*/g)).to.deep.equal(['seccomp is left out: it has no meaning for postern'])
    expect(err, 'the line is that of the file that was read').to.match(/^warning: letmein.conf:5: \[CLIENT\] "shape"/)
    const written = readFileSync(home.config, 'utf8')
    expect(written).to.include('port = 5800 / udp').and.not.include('seccomp')
    expect(readClientConfig(written, '').warnings.join()).not.to.include('seccomp')
  })

  it('says that the default user has no key, and who has one', async () => {
    home.write('letmein.conf', LETMEIN_CONF.replace('default-user = A11C\n', ''))
    const { out } = await run('')
    expect(out).to.match(
      /default user +00000000, who has no key here: knock with --user 0000A11C, or say default-user = 0000A11C in \[CLIENT\]/,
    )
  })

  it('with a realm it knocks by both', async () => {
    await run('--write --realm gate')
    expect(readClientConfig(readFileSync(home.config, 'utf8'), '')).to.include({ protocol: 'auto', realm: 'gate' })
  })

  it('leaves a file that is there alone, unless it is forced, and then keeps a copy', async () => {
    home.write('.config/postern/postern.conf', '# mine\n')
    const refused = await run('--write')
    expect(refused.err).to.match(/postern.conf is there: expected --force, which keeps a copy of it/)
    expect(refused.code).to.equal(2)
    expect(readFileSync(home.config, 'utf8')).to.equal('# mine\n')

    const { code, out } = await run('--write --force')
    const copy = /what was there is (.*)\n/.exec(out)![1]!
    expect(readFileSync(copy, 'utf8')).to.equal('# mine\n')
    expect(readFileSync(home.config, 'utf8')).to.include(KEY)
    expect(code).to.equal(0)
    expect(readdirSync(join(home.folder, '.config/postern'))).to.have.length(2)
  })

  it('prints the file, and writes it where it is told to', async () => {
    const { out } = await run('--print')
    await run('--write --output here.conf')
    expect(readFileSync(join(home.folder, 'here.conf'), 'utf8')).to.equal(out)
  })

  for (const [line, code, message] of [
    ['import', 2, 'import what?: expected import letmein [FILE] or import fwknop [FILE]'],
    ['import ssh', 2, 'import "ssh": expected import letmein [FILE] or import fwknop [FILE]'],
    ['import letmein --stanza x', 2, '--stanza with import letmein: it is not for it'],
    ['import letmein a b', 2, 'import letmein "b": expected one file'],
    ['import letmein letmein.conf --write --print', 2, '--print with --write: expected one of them'],
    ['import letmein letmein.conf --force', 2, '--force without --write'],
    ['import letmein nowhere.conf', 78, 'nowhere.conf: no such file'],
    ['import letmein wrong.conf', 78, 'wrong.conf:2: [CLIENT] default-user "me": expected 1–8 hex digits'],
  ] as const) {
    it(`refuses: postern ${line} (${code})`, async () => {
      home.write('wrong.conf', '[CLIENT]\ndefault-user = me\n')
      const ran = await home.postern(line.split(' '))
      expect(ran.err).to.include(message)
      expect({ code: ran.code, out: ran.out }).to.deep.equal({ code, out: '' })
    })
  }
})

describe('posternd import letmein', () => {
  let folder: string
  before(() => {
    bundlePosternd()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-import-'))
    writeFileSync(join(folder, 'letmeind.conf'), LETMEIND_CONF, { mode: 0o640 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const run = (line: string) => {
    const words = ['import', 'letmein', 'letmeind.conf', ...line.split(' ').filter((word) => word !== '')]
    const { status, stdout, stderr } = spawnSync(join(ROOT, 'bin/posternd'), words, { cwd: folder, encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  it('says what would be taken over and what differs, shows no key, and changes nothing', () => {
    const { status, stdout, stderr } = run('')
    for (const word of [
      /resources +1: 00000022 \(tcp 22, 1 users\)/,
      /control port +5800\/tcp; control-timeout 5 s/,
      /control-error-policy +basic-auth/,
      /chains +inet filter: LETMEIN-INPUT/,
      /\n\nWhat differs from letmein, by what this file says:\n- control-error-policy is basic-auth, as the file says nothing \(letmein: always\).*\n(- .*\n)*- max-nr-rules has no meaning.*\n/,
      /\n\nWhat differs from letmein in any case:\n- a recorded KNOCK gets silence.*\n- leases end in time/,
      /\n\nNothing was changed. --write.*\n$/,
    ])
      expect(stdout).to.match(word)
    expect(stderr, 'by line, and not twice')
      .to.match(/^warning: .*seccomp has no meaning/m)
      .and.match(/^warning: .*letmein over TCP answers every SYN/m)
    expect(stdout).not.to.include(KEY)
    expect(status).to.equal(0)
    expect(readdirSync(folder)).to.deep.equal(['letmeind.conf'])
  })

  it('writes the same configuration with a realm of its own, for letmein’s clients and postern’s', () => {
    const [first, second] = ['a.conf', 'b.conf'].map((name) => {
      const { status, stdout } = run(`--write --output ${name}`)
      expect(stdout).to.match(
        /\n\nNext:\n.*posternd check --config .*\n.*letmeind.*trust-clock\n.*postern-gate postern\n$/s,
      )
      expect(status).to.equal(0)
      const path = join(folder, name)
      expect(statSync(path).mode & 0o777 & ~0o040).to.equal(0o600)
      return readServerConfig(readFileSync(path, 'utf8'), name)
    })
    expect(first!.letmein.enabled).to.equal(true)
    expect(first!.spa.realm)
      .to.match(/-[0-9a-f]{8}$/)
      .and.not.equal(second!.spa.realm)
    const { users, resources, firewall } = readServerConfig(LETMEIND_CONF, '')
    expect(first!.users).to.deep.equal(users)
    expect(first!.firewall).to.deep.equal(firewall)
    const { line: _, ...resource } = first!.resources.get(0x22)!
    const { line: __, ...theirs } = resources.get(0x22)!
    expect(resource).to.deep.equal(theirs)
  })

  it('leaves a file that is there alone', () => {
    writeFileSync(join(folder, 'a.conf'), '# mine\n')
    const { status, stderr } = run('--write --output a.conf')
    expect(stderr).to.include('a.conf is there: expected --force')
    expect(status).to.equal(2)
    expect(readFileSync(join(folder, 'a.conf'), 'utf8')).to.equal('# mine\n')
  })
})
