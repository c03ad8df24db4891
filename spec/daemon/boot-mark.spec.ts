import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { hasBootMark, leaveBootMark } from '../../lib/daemon/boot-mark.js'

describe('the boot mark', () => {
  let folder: string
  let mark: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'boot-'))
    mark = join(folder, 'boot')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is there for the boot in which it was left, and for no other', () => {
    expect(hasBootMark(mark, 'a1')).to.equal(false)
    leaveBootMark(mark, 'a1')
    expect(hasBootMark(mark, 'a1')).to.equal(true)
    expect(hasBootMark(mark, 'b2')).to.equal(false)
    leaveBootMark(mark, 'b2')
    expect(hasBootMark(mark, 'b2')).to.equal(true)
  })

  it('can be read by the monitor where root left it with the umask of a unit', () => {
    const before = process.umask(0o077)
    try {
      leaveBootMark(mark, 'a1')
    } finally {
      process.umask(before)
    }
    expect(statSync(mark).mode & 0o777).to.equal(0o644)
  })

  it('follows no link that lies in its place: root leaves it in a folder that is the monitor’s', () => {
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, `${mark}.new`)
    symlinkSync(victim, mark)
    leaveBootMark(mark, 'a1')
    expect(readFileSync(victim, 'utf8')).to.equal('precious')
    expect(lstatSync(mark).isSymbolicLink()).to.equal(false)
  })
})
