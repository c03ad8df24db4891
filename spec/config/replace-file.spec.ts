import fs, { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { thisProcess } from '../../lib/config/files.js'
import { changeFile } from '../../lib/config/replace-file.js'

describe('a file that is changed in its place', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-change-'))
    file = join(folder, 'server.conf')
    writeFileSync(file, 'one\n', { mode: 0o600 })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const change = (to: (text: string | undefined) => string | undefined) => changeFile(file, thisProcess('daemon'), to)

  it('is changed by one command at a time', () => {
    change((text) => {
      expect(() => change(() => 'in between\n'))
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/another command is changing it/)
      return `${text}two\n`
    })
    expect(readFileSync(file, 'utf8')).to.equal('one\ntwo\n')
  })

  it('leaves no lock, changed or not, or where the change failed', () => {
    change(() => 'two\n')
    change(() => undefined)
    expect(() =>
      change(() => {
        throw new Error('no')
      }),
    ).to.throw('no')
    expect(existsSync(`${file}.new`)).to.equal(false)
  })

  it('is as it was, and named, where the disk is full', () => {
    const { writeFileSync: write } = fs
    fs.writeFileSync = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    }
    syncBuiltinESMExports()
    try {
      expect(() => change(() => 'two\n'))
        .to.throw(ConfigError)
        .with.property(
          'message',
          `${file}: it cannot be changed (ENOSPC), and is as it was: expected a disk with room that may be written`,
        )
    } finally {
      fs.writeFileSync = write
      syncBuiltinESMExports()
    }
    expect(readFileSync(file, 'utf8')).to.equal('one\n')
    expect(existsSync(`${file}.new`)).to.equal(false)
  })

  it('does not take away the lock of the command that comes right after it', () => {
    const { renameSync } = fs
    fs.renameSync = (from, to) => {
      renameSync(from, to)
      writeFileSync(`${file}.new`, 'the next one’s draft')
    }
    syncBuiltinESMExports()
    try {
      change(() => 'two\n')
    } finally {
      fs.renameSync = renameSync
      syncBuiltinESMExports()
    }
    expect(readFileSync(`${file}.new`, 'utf8')).to.equal('the next one’s draft')
  })
})
