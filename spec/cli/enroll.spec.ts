/** `posternd enroll`, `rotate` and `remove` on a file, with no daemon. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readServerConfig } from '../../lib/config/server.js'
import { decodeEnrolment, type Enrolment } from '../../lib/wire/enrolment.js'
import { bundlePosternd, KEY, ROOT } from './program.js'

const FILE = `# the gate
[GENERAL]
port = 62201 / udp
[SPA]
realm = gate.example.org
[KEYS]
00000001 = ${KEY}
[USERS]
00000001 = name: root
[RESOURCES]
00000022 = port: 22 / name: ssh / instant: yes
00000080 = port: 8000-8010 / users: 00000001 / name: web / tcp,udp
`

describe('posternd', () => {
  let folder: string
  let file: string
  before(bundlePosternd)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-enroll-'))
    file = join(folder, 'posternd.conf')
    writeFileSync(file, FILE, { mode: 0o600 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function posternd(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const all = [...words, '--config', file, '--run-dir', folder]
    return spawnSync(join(ROOT, 'bin/posternd'), all, { encoding: 'utf8' })
  }
  function line(...words: readonly string[]): Enrolment {
    const { status, stdout, stderr } = posternd(...words)
    expect(status, stderr).to.equal(0)
    const enrolment = decodeEnrolment(stdout)
    if ('why' in enrolment) throw new Error(`${stdout}: ${enrolment.why}`)
    return enrolment
  }
  const read = () => readServerConfig(readFileSync(file, 'utf8'), file)
  const keyOf = (user: number) => Buffer.from(read().users.get(user)!)

  describe('enroll', () => {
    it('makes a key and prints one line with all that the client needs', () => {
      const { key, ...rest } = line('enroll', 'alice')
      expect(rest).to.deep.equal({
        host: 'gate.example.org',
        port: 62201,
        alsoLetmein: false,
        realm: 'gate.example.org',
        user: 2,
        resources: [
          {
            id: 0x22,
            name: 'ssh',
            ports: [{ first: 22, last: 22 }],
            protocols: ['tcp'],
            instant: true,
            timeoutSeconds: 600,
            connections: 0,
          },
        ],
      })
      expect(keyOf(2)).to.deep.equal(Buffer.from(key))
      expect(read().people.get(2)).to.deep.equal({ name: 'alice' })
    })

    it('says what it did on standard error, without the key, and leaves the rest of the file as it is', () => {
      const { stdout, stderr } = posternd('enroll', 'alice')
      expect(stdout.split('\n')).to.have.length(2)
      expect(stderr).to.match(/^alice \(00000002\) has a key in .*no daemon runs here/)
      expect(stderr).to.not.include(keyOf(2).toString('hex').toUpperCase()).and.not.include(stdout.trim())
      const rows = readFileSync(file, 'utf8').split('\n')
      expect(rows.filter((row) => !row.startsWith('00000002')).join('\n')).to.equal(FILE)
      expect(statSync(file).mode & 0o777).to.equal(0o600)
      expect(readdirSync(folder)).to.deep.equal(['posternd.conf'])
    })

    it('lets him open what is not for everybody, takes an id and a name, and another host', () => {
      const enrolment = line('enroll', '0a1', '--name', 'bob', '--for', 'web', '--host', '192.0.2.1')
      expect(enrolment).to.include({ user: 0xa1, host: '192.0.2.1' })
      expect(enrolment.resources.map(({ name }) => name)).to.deep.equal(['ssh', 'web'])
      expect(read().resources.get(0x80)!.users).to.deep.equal([1, 0xa1])
    })

    it('prints the line of who has a key again, and changes nothing', () => {
      expect(
        Buffer.from(line('enroll', 'root', '--again').key)
          .toString('hex')
          .toUpperCase(),
      ).to.equal(KEY)
      expect(readFileSync(file, 'utf8')).to.equal(FILE)
      const { stdout } = posternd('enroll', '1', '--again', '--qr')
      expect(stdout.split('\n').length).to.be.greaterThan(20)
      expect(decodeEnrolment(stdout.trim().split('\n').at(-1)!)).to.include({ user: 1 })
    })

    it('reads what the file refers to: a user comes, gets another key and goes where fwknop is heard, too', () => {
      const access = join(folder, 'access.conf')
      const keys = `KEY_BASE64 ${'a2V5'.repeat(8)}\nHMAC_KEY_BASE64 ${'bWFj'.repeat(8)}`
      writeFileSync(access, `SOURCE ANY\n${keys}\nOPEN_PORTS tcp/25\n`, { mode: 0o600 })
      writeFileSync(file, `${FILE}[FWKNOP]\naccess-file = ${access}\n`)
      const { user, key, resources } = line('enroll', 'alice')
      expect(resources.map(({ id }) => id)).to.deep.equal([0x22])
      expect(line('rotate', 'alice')).to.include({ user }).and.not.to.have.deep.property('key', key)
      expect(posternd('remove', 'alice')).to.include({ status: 0 })
    })

    it('keeps a link a link, and the mode', () => {
      const link = join(folder, 'link.conf')
      symlinkSync(file, link)
      chmodSync(file, 0o400)
      const target = file
      file = link
      line('enroll', 'alice')
      expect(statSync(target).mode & 0o777).to.equal(0o400)
      expect(readFileSync(target, 'utf8')).to.include('name: alice')
    })
  })

  describe('rotate', () => {
    it('leaves the old key valid for the overlap', () => {
      const before = Date.now()
      const { key } = line('rotate', 'root', '--overlap', '2h')
      expect(keyOf(1)).to.deep.equal(Buffer.from(key))
      const [old, ...more] = read().oldKeys.get(1)!
      expect(Buffer.from(old!.key).toString('hex').toUpperCase()).to.equal(KEY)
      expect(old!.untilMs - before).to.be.within(7_200_000, 7_215_000)
      expect(more).to.deep.equal([])
      line('rotate', 'root')
      expect(read().oldKeys.get(1), 'what still counts stays').to.have.length(2)
    })

    it('with --overlap 0 leaves none', () => {
      line('rotate', 'root')
      line('rotate', 'root', '--overlap', '0')
      expect(read().oldKeys.size).to.equal(0)
      expect(readFileSync(file, 'utf8')).to.not.include(KEY)
    })
  })

  describe('remove', () => {
    it('takes out all that is his, and says which resource nobody can open now', () => {
      line('enroll', 'alice')
      const { status, stdout, stderr } = posternd('remove', 'root')
      expect(stdout).to.match(/^root \(00000001\) is out of /)
      expect(stderr).to.include('resource 00000080: its users: named 00000001 alone, so nobody can open it')
      expect(status).to.equal(0)
      expect([...read().users.keys()]).to.deep.equal([2])
      expect(posternd('remove', 'alice').stderr).to.include('nobody is left who could knock: posternd enroll USER')
    })

    it('leaves his id to nobody else: not to the next one, not to one of his name, not to who asks for it', () => {
      const before = Math.floor(Date.now() / 1000) * 1000
      expect(line('enroll', 'alice').user).to.equal(2)
      expect(posternd('remove', 'alice')).to.include({ status: 0 })
      const gone = read().removed.get(2)!
      expect(gone.name).to.equal('alice')
      expect(gone.atMs).to.be.within(before, Date.now())
      expect(line('enroll', 'bob').user).to.equal(3)
      expect(line('enroll', 'alice').user).to.equal(4)
      const text = readFileSync(file, 'utf8')
      for (const words of [
        ['enroll', '2'],
        ['enroll', '2', '--name', 'zoe'],
        ['rotate', '00000002'],
        ['remove', '2'],
      ]) {
        const { status, stdout, stderr } = posternd(...words)
        expect(stderr).to.match(
          /USER 00000002: it was alice's, who was removed \d{4}-\d\d-\d\d, and is not given again: expected a name/,
        )
        expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' })
      }
      expect(readFileSync(file, 'utf8')).to.equal(text)
      writeFileSync(file, text.replace(/^00000002 = removed.*\n/m, ''))
      expect(line('enroll', '2').user, 'his line is taken out by hand').to.equal(2)
    })
  })

  for (const [words, code, said] of [
    ['enroll', 2, 'USER is missing: expected posternd enroll alice, or an id like 00000002'],
    ['rotate', 2, 'USER is missing: expected posternd rotate alice'],
    ['remove', 2, 'USER is missing: expected posternd remove alice'],
    ['enroll alice bob', 2, '"bob": expected one USER: posternd enroll alice'],
    ['enroll a/b', 2, 'USER "a/b": expected a name ('],
    ['enroll 123456789', 2, 'or an id like 00000002'],
    ['enroll root', 2, 'root (00000001) has a key: posternd rotate root makes another one'],
    ['enroll 1', 2, 'root (00000001) has a key'],
    ['enroll alice --again', 2, 'has no key of his (it has root (00000001)): posternd enroll alice makes one'],
    ['enroll alice --name bob', 2, '--name with a name for USER'],
    ['enroll 2 --name root', 2, '--name root: root (00000001) has it'],
    ['enroll 2 --name 2x', 2, '--name "2x": expected 1–32 of'],
    ['enroll alice --for www', 2, '--for "www": '],
    ['enroll root --again --for web', 2, '--again changes nothing'],
    ['enroll alice --host a/b', 2, '--host "a/b": expected a name or an address'],
    ['enroll alice --host', 2, '--host: expected a value behind it'],
    ['enroll alice --hots x', 2, '--hots is no option'],
    ['rotate bob', 2, 'USER "bob": '],
    ['rotate root --overlap soon', 2, '--overlap "soon": expected seconds'],
    ['rotate root --overlap 10', 2, '--overlap "10": expected 0, or 5m–366d, like 7d'],
    ['rotate root --overlap -1', 2, '--overlap "-1": expected seconds'],
    ['remove bob', 2, 'USER "bob": '],
  ] as const)
    it(`refuses: posternd ${words}`, () => {
      const { status, stdout, stderr } = posternd(...words.split(' '))
      expect(stderr).to.include(said)
      expect({ status, stdout }).to.deep.equal({ status: code, stdout: '' })
      expect(readFileSync(file, 'utf8')).to.equal(FILE)
    })

  it('changes no file that others can write or read, that is bad, that is not there, or that is being changed', () => {
    const refused = (code: number, said: string) => {
      const before = readdirSync(folder).includes('posternd.conf') ? readFileSync(file, 'utf8') : ''
      const { status, stdout, stderr } = posternd('enroll', 'alice')
      expect(stderr).to.include(said)
      expect({ status, stdout }).to.deep.equal({ status: code, stdout: '' })
      if (before !== '') expect(readFileSync(file, 'utf8')).to.equal(before)
    }
    for (const mode of [0o644, 0o666]) {
      chmodSync(file, mode)
      refused(77, `mode 0${mode.toString(8)}`)
    }
    chmodSync(file, 0o600)
    writeFileSync(`${file}.new`, '')
    refused(78, `another command is changing it; if none is, it was cut off: rm ${file}.new`)
    rmSync(`${file}.new`)
    writeFileSync(file, `${FILE}00000081 = port: x\n`)
    refused(78, 'port "x": expected 1–65535')
    writeFileSync(file, FILE.replace('realm', 'enabled = no\nrealm'))
    refused(78, '[SPA] enabled = no: expected yes')
    rmSync(file)
    refused(78, 'no such file')
  })
})
