import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import {
  clientFiles,
  groupIds,
  loadClientConfig,
  loadServerConfig,
  localPortRange,
  SERVER_FILES,
  thisProcess,
} from '../../lib/config/files.js'
import { loadKeyFile, readKeyFile } from '../../lib/config/key-file.js'
import { judgeReaders, judgeWriters, type Reader } from '../../lib/config/permissions.js'
import { decodeUtf8 } from '../../lib/config/read-file.js'

const KEY = '9F3C51D2A7B84E06F1C29D7B3A58E4601C7FD2B9856E43A0D1F7285B9CE63A40'
const WITH_KEY = `[SPA]\nrealm = x\n[KEYS]\n1 = ${KEY}\n[RESOURCES]\n1 = port: 22\n`
const ME = process.geteuid!()
const MY_GROUP = process.getegid!()

describe('files that hold keys', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  function file(name: string, text: string, mode: number): string {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  const daemon: Reader = { role: 'daemon', uid: ME, groups: [] }
  const inGroup: Reader = { role: 'daemon', uid: ME, groups: [MY_GROUP] }
  const user: Reader = { role: 'client', uid: ME, groups: [MY_GROUP] }

  /** The error that it ends with: its code and its message without the folder. */
  function refusal(act: () => unknown): string {
    try {
      act()
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError)
      expect((error as Error).message).to.not.include('9F3C')
      return `${(error as ConfigError).code} ${(error as Error).message.replaceAll(`${folder}/`, '')}`
    }
    return 'accepted'
  }

  it('are refused by the daemon where others can read or write them', () => {
    const rows: [number, Reader, string][] = [
      [0o600, daemon, 'accepted'],
      [0o640, inGroup, 'accepted'],
      [
        0o640,
        daemon,
        `permission s.conf: mode 0640, readable by group ${MY_GROUP}: expected keys that nobody else can read: chmod 600 s.conf`,
      ],
      [
        0o644,
        inGroup,
        'permission s.conf: mode 0644, readable by everybody: expected keys that nobody else can read: chmod 640 s.conf',
      ],
      [
        0o604,
        daemon,
        'permission s.conf: mode 0604, readable by everybody: expected keys that nobody else can read: chmod 600 s.conf',
      ],
      [
        0o660,
        inGroup,
        `permission s.conf: mode 0660, writable by group ${MY_GROUP}: expected only its owner to write it: chmod 640 s.conf`,
      ],
      [
        0o602,
        daemon,
        'permission s.conf: mode 0602, writable by everybody: expected only its owner to write it: chmod 600 s.conf',
      ],
    ]
    for (const [mode, reader, expected] of rows) {
      const path = file('s.conf', WITH_KEY, mode)
      expect(
        refusal(() => loadServerConfig(path, reader)),
        mode.toString(8),
      ).to.equal(expected)
    }
  })

  it('are refused by the client too, but for a letmein.conf that all can read: a warning with the cure', () => {
    expect(refusal(() => loadClientConfig(file('postern.conf', WITH_KEY, 0o600), user))).to.equal('accepted')
    expect(refusal(() => loadClientConfig(file('postern.conf', WITH_KEY, 0o644), user))).to.match(
      /^permission .*chmod 600/,
    )
    expect(refusal(() => loadClientConfig(file('letmein.conf', WITH_KEY, 0o646), user))).to.match(
      /^permission .*writable/,
    )
    const { warnings, users } = loadClientConfig(file('letmein.conf', WITH_KEY, 0o644), user)
    expect(users.size).to.equal(1)
    expect(warnings).to.deep.equal([
      `${folder}/letmein.conf: mode 0644, readable by everybody: expected keys that nobody else can read: chmod 600 ${folder}/letmein.conf`,
    ])
  })

  it('may be read by all where there is no key in them, but not written', () => {
    const text = '[RESOURCES]\n1 = port: 22'
    expect(loadClientConfig(file('postern.conf', text, 0o644), user).resources.size).to.equal(1)
    expect(loadServerConfig(file('posternd.conf', text, 0o644), daemon).resources.size).to.equal(1)
    expect(refusal(() => loadClientConfig(file('postern.conf', text, 0o666), user))).to.match(/^permission /)
  })

  it('are judged by what was opened: nobody can change it in between', () => {
    const facts = (mode: number, uid = 1000, gid = 1000) => ({ mode, uid, gid })
    const reader: Reader = { role: 'client', uid: 1000, groups: [1000, 27] }
    expect(judgeWriters('f', facts(0o600, 0), reader)).to.equal(undefined)
    expect(judgeWriters('f', facts(0o600, 1001), reader)?.message).to.equal(
      'owned by uid 1001: expected a file of root or uid 1000: chown 1000 f',
    )
    expect(judgeWriters("it's", facts(0o602), reader)?.message).to.match(/: chmod 600 'it'\\''s'$/)
    expect(judgeReaders('f', facts(0o640, 0, 27), reader)).to.equal(undefined)
    expect(judgeReaders('f', facts(0o640, 1000, 27), reader)?.refused).to.equal(true)
    expect(judgeReaders('letmein.conf', facts(0o644), { ...reader, role: 'daemon' })?.refused).to.equal(true)
    expect(judgeReaders('f', facts(0o666), { ...reader, uid: undefined })).to.equal(undefined)
    expect(judgeWriters('f', facts(0o666), { ...reader, uid: undefined })).to.equal(undefined)
  })

  it("are refused where they are somebody else's", () => {
    const path = file('s.conf', WITH_KEY, 0o600)
    const owner = ME === 0 ? 4711 : ME
    if (ME === 0) chownSync(path, owner, owner)
    const reader = ME === 0 ? daemon : { ...daemon, uid: ME + 1 }
    expect(refusal(() => loadServerConfig(path, reader))).to.equal(
      `permission s.conf: owned by uid ${owner}: expected a file of root: chown root s.conf`,
    )
  })

  it('are files: a folder, a FIFO that would hang, nothing at all', () => {
    mkdirSync(join(folder, 'd'))
    expect(refusal(() => loadServerConfig(join(folder, 'd'), daemon))).to.equal('missing d: expected a regular file')
    expect(refusal(() => loadClientConfig(join(folder, 'none.conf'), user))).to.equal('missing none.conf: no such file')
    execFileSync('mkfifo', [join(folder, 'fifo')])
    expect(refusal(() => loadServerConfig(join(folder, 'fifo'), daemon))).to.equal(
      'missing fifo: expected a regular file',
    )
  })

  it('are UTF-8: the line of what is not is named', () => {
    expect(decodeUtf8(Buffer.from('a\nb\u9375'), 'f')).to.equal('a\nb\u9375')
    expect(decodeUtf8(Buffer.from('\uFEFFa'), 'f')).to.equal('\uFEFFa')
    const bad = Buffer.concat([Buffer.from('[A]\nx = '), Buffer.of(0xe9), Buffer.from('\ny = 1\n')])
    expect(refusal(() => decodeUtf8(bad, 'f'))).to.equal('config f:2: bytes that are no UTF-8: expected a UTF-8 text')
  })

  it('may hold a single key, by itself or as gen-key prints it', () => {
    const bytes = new Uint8Array(Buffer.from(KEY, 'hex'))
    expect(loadKeyFile(file('k', `${KEY}\n`, 0o600), user)).to.deep.equal({ key: bytes })
    expect(loadKeyFile(file('k', `# mine\r\n\r\n0000beef = ${KEY.toLowerCase()}\r\n`, 0o400), user)).to.deep.equal({
      user: 0xbeef,
      key: bytes,
    })
    expect(refusal(() => loadKeyFile(file('letmein.key', KEY, 0o644), user))).to.match(/^permission .*chmod 600/)
  })

  it('are refused by name where the key is none, without a digit of it', () => {
    const rows: [string, string][] = [
      ['', 'config k: the key: 0 characters: expected 64 hex digits'],
      [KEY.slice(1), 'config k:1: the key: 63 characters: expected 64 hex digits'],
      [`\nalice = ${KEY}`, 'config k:2: the user before "=": expected 1–8 hex digits'],
      ['0'.repeat(64), 'config k:1: the key: all zeros: expected a random key, as from postern gen-key'],
      [`${KEY}\n${KEY}`, 'config k:2: a further line: expected one key'],
      [
        `x = ${KEY}0`,
        'config k:1: the user before "=": expected 1–8 hex digits\nk:1: the key: 65 characters: expected 64 hex digits',
      ],
    ]
    for (const [text, expected] of rows) expect(refusal(() => readKeyFile(text, 'k'))).to.equal(expected)
  })

  it('are looked for where the client and the server keep theirs', () => {
    const places = ['/etc/postern/postern.conf', '/opt/letmein/etc/letmein.conf']
    expect(clientFiles({ HOME: '/home/u' })).to.deep.equal(['/home/u/.config/postern/postern.conf', ...places])
    expect(clientFiles({ HOME: '/home/u', XDG_CONFIG_HOME: '/x' })[0]).to.equal('/x/postern/postern.conf')
    expect(clientFiles({ HOME: '/home/u', XDG_CONFIG_HOME: 'relative' })[0]).to.equal(
      '/home/u/.config/postern/postern.conf',
    )
    expect(clientFiles({})).to.deep.equal(places)
    expect(clientFiles({ USERPROFILE: '/users/u' }, 'win32')).to.deep.equal(['/users/u/.config/postern/postern.conf'])
    expect(clientFiles({}, 'win32')).to.deep.equal([])
    expect(SERVER_FILES).to.deep.equal(['/etc/postern/posternd.conf', '/opt/letmein/etc/letmeind.conf'])
    mkdirSync(join(folder, 'postern'))
    const path = file('postern/postern.conf', WITH_KEY, 0o600)
    expect(loadClientConfig(undefined, user, { XDG_CONFIG_HOME: folder }).file).to.equal(path)
  })

  it('are read by this process with the groups that it has', () => {
    expect(thisProcess('client')).to.deep.include({ role: 'client', uid: ME })
    expect(thisProcess('client').groups).to.include(MY_GROUP)
    const group =
      'root:x:0:\npostern:x:991:\nusers:x:100:u\npostern-listener:x:990:\nletmeind:x:989:\nodd\npostern:x::\n'
    expect(groupIds(group, ['postern', 'letmeind'])).to.deep.equal([991, 989])
    expect(localPortRange('32768\t60999\n')).to.deep.equal({ first: 32768, last: 60999 })
    expect(localPortRange('')).to.equal(undefined)
  })
})
