import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readBootId } from '../../lib/replay/boot-id.js'
import { openDirectory } from '../../lib/replay/disk.js'
import { ReplayError } from '../../lib/replay/error.js'
import { Horizon } from '../../lib/replay/horizon.js'
import { START_MS } from './requests.js'

describe('a real directory', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'postern-replay-'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it('is made 0700 with files 0600', () => {
    const directory = openDirectory(join(base, 'a/b'))
    directory.create('file').close()
    expect(statSync(join(base, 'a/b')).mode & 0o777).to.equal(0o700)
    expect(statSync(join(base, 'a/b/file')).mode & 0o777).to.equal(0o600)
    expect(() => directory.create('file')).to.throw('EEXIST')
  })

  it('is refused where others can write to it, or it is none', () => {
    mkdirSync(join(base, 'open'))
    chmodSync(join(base, 'open'), 0o770)
    symlinkSync(base, join(base, 'link'))
    writeFileSync(join(base, 'file'), '')
    for (const [name, said] of [
      ['open', 'mode 0770: expected 0700'],
      ['link', 'expected a directory, no link'],
      ['file', 'file'],
      ['file/below', 'ENOTDIR'],
    ] as const) {
      expect(() => openDirectory(join(base, name)), name)
        .to.throw(ReplayError, said)
        .with.property('code', 'directory')
    }
  })

  it('appends, cuts, links, renames, removes and says when a file has no name any more', () => {
    const directory = openDirectory(base)
    const file = directory.create('one')
    expect(file.write(Buffer.from('12345'))).to.equal(5)
    file.truncate(3)
    expect(file.write(Buffer.from('x'))).to.equal(1)
    file.sync()
    expect(file.length()).to.equal(4)
    directory.link('one', 'two')
    expect(() => directory.link('one', 'two')).to.throw('EEXIST')
    directory.rename('one', 'three')
    directory.sync()
    expect(directory.list().sort()).to.deep.equal(['three', 'two'])
    expect(Buffer.from(directory.read('two')).toString()).to.equal('123x')
    const again = directory.append('two')
    again.write(Buffer.from('y'))
    expect(file.length()).to.equal(5)
    directory.remove('two')
    directory.remove('three')
    expect(file.length()).to.equal(-1)
    expect(() => directory.append('two')).to.throw('ENOENT')
    again.close()
    file.close()
  })

  it('follows no links', () => {
    writeFileSync(join(base, 'target'), 'x')
    symlinkSync(join(base, 'target'), join(base, 'link'))
    const directory = openDirectory(base)
    expect(() => directory.read('link')).to.throw('ELOOP')
    expect(() => directory.append('link')).to.throw('ELOOP')
  })

  it('holds a horizon over two runs', () => {
    const cautious = { horizonMs: START_MS, tokensSlot: 1 }
    Horizon.open(openDirectory(base), cautious).advance(START_MS + 5, 7)
    const next = Horizon.open(openDirectory(base), cautious)
    expect([next.found.kind, next.horizonMs, next.tokensSlot]).to.deep.equal(['present', START_MS + 5, 7])
  })
})

describe('the boot id', () => {
  it('is sixteen bytes, the same each time', () => {
    expect(readBootId()).to.have.length(16)
    expect(readBootId()).to.deep.equal(readBootId())
  })

  it('is what systemd told its unit, where it told one', () => {
    expect(Buffer.from(readBootId('/nonexistent', '0123456789abcdef'.repeat(2))).toString('hex')).to.match(/^0123/)
    expect(readBootId('/proc/sys/kernel/random/boot_id', '')).to.deep.equal(readBootId())
    expect(() => readBootId(undefined, 'a boot')).to.throw('POSTERN_BOOT_ID: "a boot": expected a UUID')
  })

  it('is refused where the kernel says none', () => {
    expect(() => readBootId('/nonexistent'))
      .to.throw(ReplayError)
      .with.property('code', 'boot-id')
    expect(() => readBootId('/dev/null')).to.throw('expected a UUID')
  })
})
