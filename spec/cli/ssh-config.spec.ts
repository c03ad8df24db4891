import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { sshLines, withBlock, withoutBlock } from '../../lib/cli/ssh-block.js'
import { readSshFile } from '../../lib/cli/ssh-file.js'
import { ALONE } from '../support/client.js'
import { bundle, CONFIG, Home } from './program.js'

const LINES = 'Host gate\n  ProxyCommand postern connect %h %p\n'

describe("postern's lines in a configuration of ssh", () => {
  it('go ahead of everything, and leave what follows to all hosts', () => {
    const text = withBlock('User me\n', 'gate', LINES)
    expect(text).to.match(
      /^# >>> postern gate[^\n]*\nHost gate\n {2}ProxyCommand [^\n]*\nMatch all\n# <<< postern gate\n\nUser me\n$/,
    )
  })

  it('take the place of those that are there', () => {
    const first = withBlock('Host *\n', 'gate', LINES)
    const before = withBlock(first, 'other', LINES)
    const after = withBlock(before, 'gate', 'Host gate\n  ProxyCommand new %h %p\n')
    expect(after).to.equal(before.replace(/(>>> postern gate[\s\S]*?)postern connect/, '$1new'))
    expect(withBlock(after, 'gate', 'Host gate\n  ProxyCommand new %h %p\n')).to.equal(after)
  })

  it('come out again without a trace, whatever the text was', () => {
    const text = fc.array(fc.constantFrom('Host a', '  User b', '', '# c', 'Match all'), { maxLength: 8 })
    fc.assert(
      fc.property(text, fc.boolean(), (lines, isEnded) => {
        const own = lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : '')
        expect(withoutBlock(withBlock(own, 'gate', LINES), 'gate')).to.equal(own)
      }),
    )
  })

  it('are not looked for in those of a host whose name begins alike', () => {
    expect(withoutBlock(withBlock('', 'gate2', LINES), 'gate')).to.equal(undefined)
  })

  it('are let be where their end is gone', () => {
    const cut = withBlock('Host own\n', 'gate', LINES).replace('# <<< postern gate\n', '')
    expect(() => withBlock(cut, 'gate', LINES)).to.throw(
      RangeError,
      /^line 1: .* without "# <<< postern gate" below it$/,
    )
    expect(() => withoutBlock(cut, 'gate')).to.throw(RangeError)
  })

  for (const [form, lines] of [
    [
      'fdpass',
      "Host gate\n  ProxyCommand env NODE_CHANNEL_FD=1 '/my bin/postern' connect --fdpass -c 'a%%'\\''b' %h %p\n  ProxyUseFdpass yes\n",
    ],
    ['pipe', "Host gate\n  ProxyCommand '/my bin/postern' connect -c 'a%%'\\''b' %h %p\n"],
    ['match-exec', `Match originalhost gate exec "'/my bin/postern' knock --quiet --wait -c 'a%%'\\\\''b' %h %p"\n`],
  ] as const) {
    it(`quote what a shell and ssh would read otherwise: ${form}`, () => {
      const options = ['-c', "a%'b"]
      expect(sshLines({ host: 'gate', form, program: ['/my bin/postern'], options, platform: 'linux' })).to.equal(lines)
    })
  }

  it('are quoted for Windows, whose shell knows no single quotes', () => {
    const lines = (program: string, ...options: string[]) =>
      sshLines({ host: 'gate', form: 'pipe', program: [program], options, platform: 'win32' })
    expect(lines('C:\\bin\\postern.exe')).to.equal('Host gate\n  ProxyCommand C:\\bin\\postern.exe connect %h %p\n')
    expect(lines('C:\\My Files\\postern.exe', '-c', 'C:\\50% off\\')).to.equal(
      'Host gate\n  ProxyCommand "C:\\My Files\\postern.exe" connect -c "C:\\50%% off\\\\" %h %p\n',
    )
    expect(() => lines('postern', '--realm', 'a"b')).to.throw(RangeError, /expected no quotation mark/)
  })
})

describe('postern ssh-config', () => {
  let home: Home
  let file: string
  before(bundle)
  beforeEach(() => {
    home = new Home(CONFIG)
    file = join(home.folder, '.ssh/config')
  })
  afterEach(() => home.remove())
  const run = (line: string) => home.postern(`ssh-config ${line}`.split(' '))
  const copies = () => readdirSync(join(home.folder, '.ssh')).filter((name) => name !== 'config')
  const existing = (text: string, mode = 0o600) => {
    mkdirSync(join(home.folder, '.ssh'), { mode: 0o700 })
    writeFileSync(file, text, { mode })
    chmodSync(file, mode)
  }

  it('prints the lines, with the options that are to be in them, and changes nothing', async () => {
    const { code, out, err } = await run('gate --pipe --config own.conf --user 2A -w 5')
    expect({ code, err }).to.deep.equal({ code: 0, err: '' })
    expect(out).to.match(
      /^Host gate\n {2}ProxyCommand \S+ connect --user 2A --config \/\S+\/own\.conf --wait 5 %h %p\n$/,
    )
    expect(existsSync(file)).to.equal(false)
  })

  it('makes the file, for its owner alone', async () => {
    const { code, out } = await run('gate --install')
    expect({ code, out }).to.deep.equal({ code: 0, out: `Written: ${file}\nNext: ssh gate\n` })
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(statSync(join(home.folder, '.ssh')).mode & 0o777).to.equal(0o700)
    expect(readFileSync(file, 'utf8')).to.match(
      ALONE ? /connect %h %p\nMatch all\n/ : /ProxyUseFdpass yes\nMatch all\n/,
    )
  })

  it('keeps mode and a copy of what was there, and a second time changes nothing', async () => {
    existing('Host own\n', 0o644)
    const { out } = await run('gate --install')
    expect(out).to.match(/what was there is .*\/config\.\d{4}-/)
    expect(statSync(file).mode & 0o777).to.equal(0o644)
    const [copy, ...more] = copies()
    expect(more).to.deep.equal([])
    expect(readFileSync(join(home.folder, '.ssh', copy!), 'utf8')).to.equal('Host own\n')
    const text = readFileSync(file, 'utf8')
    expect((await run('gate --install')).out).to.equal(`${file} says so already\n`)
    expect(copies()).to.have.length(1)
    await run('gate --wait 5 --pipe --install')
    const other = readFileSync(file, 'utf8')
    expect(other).not.to.equal(text)
    expect(other).to.match(/^# >>> .*\nHost gate\n.*\nMatch all\n# <<< .*\n\nHost own\n$/)
  })

  it('takes the lines out again', async () => {
    existing('Host own\n')
    await run('gate --install')
    expect((await run('gate --remove')).code).to.equal(0)
    expect(readFileSync(file, 'utf8')).to.equal('Host own\n')
    expect(await run('gate --remove')).to.deep.equal({
      code: 1,
      out: '',
      err: `postern: ${file} has no lines of postern's for gate\n`,
    })
  })

  it('refuses a link, and leaves it and what it leads to as they are (77)', async () => {
    existing('Host own\n')
    const real = join(home.folder, 'dotfile')
    writeFileSync(real, 'Host linked\n', { mode: 0o600 })
    rmSync(file)
    symlinkSync(real, file)
    const { code, err } = await run('gate --install')
    expect(code).to.equal(77)
    expect(err).to.include(`${file}: it is a symbolic link: name the file that it leads to by --file FILE`)
    expect(lstatSync(file).isSymbolicLink()).to.equal(true)
    expect((await run(`gate --install --file ${real}`)).code).to.equal(0)
    expect(readFileSync(real, 'utf8')).to.include('Host linked')
  })

  it("refuses somebody else's file, and one that others can write (77)", async () => {
    existing('Host own\n')
    const { uid } = statSync(file)
    expect(() => readSshFile(file, uid + 1)).to.throw(`it belongs to user ${uid}, and this is user ${uid + 1}`)
    chmodSync(file, 0o666)
    const { code, err } = await run('gate --install')
    expect(code).to.equal(77)
    expect(err).to.include('others can write it, so ssh refuses it: chmod go-w it')
    expect(readFileSync(file, 'utf8')).to.equal('Host own\n')
  })

  for (const [line, code, message] of [
    ['--install', 2, 'HOST is missing: expected HOST (postern ssh-config --help; for example: postern ssh-config '],
    ['a b', 2, '"b": expected one HOST: postern ssh-config a'],
    ['a;b', 2, 'HOST "a;b": expected a name, an address or a pattern'],
    ['gate --install --remove', 2, '--install with --remove: expected one'],
    ['gate --pipe --match-exec', 2, '--pipe with --match-exec: expected one'],
    ['gate --wait soon', 2, '--wait "soon": expected seconds'],
    ['gate --user x', 2, '--user "x": expected 1–8 hex digits'],
    ['gate --realm=a\nHost', 2, '--realm "a\\nHost": expected no control characters'],
    ['gate --file= --install', 2, '--file "": expected a file'],
  ] as const) {
    it(`refuses ${JSON.stringify(line).slice(1, -1)} (${code})`, async () => {
      const { code: found, out, err } = await run(line)
      expect(err).to.include(message)
      expect({ found, out }).to.deep.equal({ found: code, out: '' })
    })
  }
})
