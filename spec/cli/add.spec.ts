/** `postern add` as a user meets it: by a pipe, and on a terminal (util-linux's script makes one). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { type Enrolment, encodeEnrolment } from '../../lib/wire/enrolment.js'
import { clientOf } from '../support/client.js'
import { bundle, Home, type Ran, ROOT } from './program.js'
import { onTerminal } from './terminal.js'

/** Knocked at, too: where specs run there is no way to anywhere else. */
const HOST = '127.0.0.1'
const SAMPLE: Enrolment = {
  host: HOST,
  port: 5800,
  alsoLetmein: false,
  realm: 'gate',
  user: 2,
  key: new Uint8Array(32).fill(0xc3),
  resources: [
    {
      id: 0x22,
      name: 'ssh',
      ports: [{ first: 22, last: 22 }],
      protocols: ['tcp'],
      instant: true,
      timeoutSeconds: 30,
      connections: 0,
    },
  ],
}
const KEY = 'C3'.repeat(32)
const LINE = encodeEnrolment(SAMPLE)

describe('postern add', () => {
  let home: Home
  before(bundle)
  beforeEach(() => {
    home = new Home()
    rmSync(join(home.folder, '.config'), { recursive: true })
  })
  afterEach(() => home.remove())

  async function add(input: string, ...words: readonly string[]): Promise<Ran> {
    const child = spawn(clientOf(ROOT), ['add', ...words], {
      env: { PATH: process.env['PATH'], HOME: home.folder },
    })
    child.stdin.end(input)
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, out, err }
  }
  const file = () => readFileSync(home.config, 'utf8')

  it('makes a file that only its owner can read, and the host and its resources have names', async () => {
    const { code, out, err } = await add(`${LINE}\n`, '--name', 'gate')
    expect({ code, err }).to.deep.equal({ code: 0, err: '' })
    expect(out).to.include(`gate (${HOST}), a new server`).and.include('ssh (22, instant)')
    expect(out)
      .to.include(
        'Added. Next: postern knock gate ssh; or, for ssh to knock by itself: postern ssh-config gate --install\n',
      )
      .and.not.include(KEY)
    expect(statSync(home.config).mode & 0o777).to.equal(0o600)
    expect(statSync(join(home.folder, '.config/postern')).mode & 0o777).to.equal(0o700)
    expect(readdirSync(join(home.folder, '.config/postern'))).to.deep.equal(['postern.conf'])
    expect(readClientConfig(file(), '').warnings).to.deep.equal([])
    const knocked = await home.postern(['knock', 'gate', 'ssh'])
    expect(knocked).to.include({ code: 0, err: '' })
    expect(knocked.out).to.include(HOST)
  })

  it('shows what a line may hide: signs that turn text round, or are not to be seen', async () => {
    const { out } = await add(encodeEnrolment({ ...SAMPLE, host: 'live.\u202egro.elpmaxe', realm: 'ga\u200bte' }))
    expect(out).to.match(/server +live\.\\u\{202e\}gro\.elpmaxe, a new server/)
    expect(out).to.match(/realm +ga\\u\{200b\}te/)
  })

  it('makes a misspelled host or resource easy to mend', async () => {
    await add(LINE, '--name', 'gate')
    const host = await home.postern(['knock', 'gat', 'ssh'])
    expect(host.err).to.match(
      /no \[HOST gat\] and no \[KEYS\]; it knows gate; did you mean "gate"\? Else postern add takes/,
    )
    const resource = await home.postern(['knock', 'gate', 'shs'])
    expect(resource.err).to.match(/no resource "shs" \(it names ssh\)(; did you mean "ssh"\?)?: add "name: shs"/)
    expect([host.code, resource.code]).to.deep.equal([78, 78])
  })

  it('adds a second server and leaves every other line as it is', async () => {
    await add(LINE)
    const before = `# mine\n${file()}`
    home.write('.config/postern/postern.conf', before)
    await add(encodeEnrolment({ ...SAMPLE, host: 'other.example', realm: 'other', port: 'any', alsoLetmein: true }))
    expect(file().startsWith(before)).to.equal(true)
    const { hosts } = readClientConfig(file(), '')
    expect([...hosts.keys()]).to.deep.equal([HOST, 'other.example'])
    expect(hosts.get('other.example')).to.include({ port: 'any', realm: 'other', protocol: 'auto' })
  })

  it('finds the line below what a login says first, and refuses what stands behind it', async () => {
    expect(await add(`Authorised use only.\n\n${LINE}\n`)).to.include({ code: 0 })
    expect((await add(`${LINE}\nLogout.\n`)).err).to.match(/something is behind the end|altered/)
  })

  it('takes a new key for a server that is known, and says where there is nothing new', async () => {
    await add(LINE)
    expect((await add(LINE)).out).to.include('known, and the same: nothing to do')
    const { code, out } = await add(encodeEnrolment({ ...SAMPLE, key: new Uint8Array(32).fill(7), resources: [] }))
    expect(out).to.include('known: it is brought up to date')
    expect(code).to.equal(0)
    const known = readClientConfig(file(), '').hosts.get(HOST)!
    expect(Buffer.from(known.key!)).to.deep.equal(Buffer.alloc(32, 7))
    expect(known.resources.size).to.equal(0)
  })

  for (const [what, other] of [
    ['realm', { realm: 'another' }],
    ['user', { user: 9 }],
  ] as const)
    it(`refuses a line for another ${what} than is known, unless forced or under another name`, async () => {
      await add(LINE)
      const before = file()
      const line = encodeEnrolment({ ...SAMPLE, ...other })
      const { code, err } = await add(line)
      expect(err).to.match(new RegExp(`${HOST} is known .*the line is for ${what} .*--force .*--name NAME`))
      expect(code).to.equal(2)
      expect(file()).to.equal(before)
      expect(await add(line, '--force')).to.include({ code: 0 })
      expect(readClientConfig(file(), '').hosts.get(HOST)).to.include(other)
    })

  for (const [what, line, said] of [
    ['cut', LINE.slice(0, -3), 'is cut'],
    ['altered', LINE.replace('Z2F0', 'Z2F1'), 'was altered on the way'],
    ['followed by something', `${LINE}\n${LINE}\n`, 'something is behind the end'],
    ['something else', 'ssh-ed25519 AAAA', 'no enroll line'],
    ['nothing', '\n', 'nothing came'],
    ['of a later version', LINE.replace('postern1', 'postern2'), 'of a later postern'],
  ] as const)
    it(`refuses a line that is ${what}, shows nothing of it and writes nothing`, async () => {
      const { code, out, err } = await add(line)
      expect(err).to.include(said).and.not.include(LINE.slice(20, 40))
      expect({ code, out }).to.deep.equal({ code: 2, out: '' })
      expect(existsSync(home.config)).to.equal(false)
    })

  it('refuses a line among its words, and shows the right way', async () => {
    const { code, err } = await add('', LINE)
    expect(err).to.match(/everybody on this machine can see command lines: .*postern add, then paste it/)
    expect(err).to.not.include(LINE.slice(20, 40))
    expect(code).to.equal(2)
  })

  it('refuses a file that others can write or read, and leaves it', async () => {
    for (const mode of [0o666, 0o644]) {
      mkdirSync(join(home.folder, '.config/postern'), { recursive: true })
      home.write('.config/postern/postern.conf', '# mine\n')
      chmodSync(home.config, mode)
      expect(await add(LINE)).to.include({ code: 77 })
      expect(file()).to.equal('# mine\n')
    }
  })

  it('keeps the mode and the link of a file that is there', async () => {
    await add(LINE)
    chmodSync(home.config, 0o400)
    expect(await add(encodeEnrolment({ ...SAMPLE, host: 'b' }))).to.include({ code: 0 })
    expect(statSync(home.config).mode & 0o777).to.equal(0o400)
  })

  it('asks on a terminal, does not show the line, and writes where the answer is yes', async () => {
    const terminal = onTerminal([clientOf(ROOT), 'add'], { HOME: home.folder })
    await terminal.answer(/it is not shown/, LINE)
    await terminal.answer(/Add it\? \[Y\/n\]/, 'y')
    expect(await terminal.ended()).to.equal(0)
    expect(terminal.shown).to.include(`Added. Next: postern knock ${HOST} ssh`)
    expect(terminal.shown).to.not.include(LINE.slice(0, 20))
    expect(readClientConfig(file(), '').hosts.size).to.equal(1)
  })

  it('writes nothing where the answer is no', async () => {
    const terminal = onTerminal([clientOf(ROOT), 'add'], { HOME: home.folder })
    await terminal.answer(/it is not shown/, LINE)
    await terminal.answer(/Add it\?/, 'n')
    expect(await terminal.ended()).to.equal(1)
    expect(existsSync(home.config)).to.equal(false)
  })
})
