import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cureOf, unreadable } from '../../lib/cli/daemon/readable.js'

describe('what the daemon’s own user can read', () => {
  let root: string
  let inside: string
  let file: string
  let gid: number
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-readable-'))
    chmodSync(root, 0o755)
    inside = join(root, 'users.d')
    mkdirSync(inside)
    file = join(inside, 'a.conf')
    writeFileSync(file, '')
    gid = statSync(file).gid
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const OTHER = 64_803
  for (const [folder, mode, group, listed, expected] of [
    [0o755, 0o644, 'another', true, []],
    [0o750, 0o640, 'own', true, []],
    [0o710, 0o640, 'own', false, []],
    [0o710, 0o640, 'own', true, ['750']],
    [0o700, 0o640, 'own', false, ['750']],
    [0o750, 0o600, 'own', true, ['640']],
    [0o700, 0o600, 'own', true, ['750', '640']],
    [0o750, 0o640, 'another', true, ['750', '640']],
    // The group's bits count for its members, whatever everybody else may.
    [0o705, 0o604, 'own', true, ['750', '640']],
  ] as const)
    it(`with modes ${folder.toString(8)} and ${mode.toString(8)}, of ${group} group, ${listed ? 'listed' : 'not listed'}: ${expected.length === 0 ? 'is all' : `lacks ${expected.join(' and ')}`}`, () => {
      chmodSync(inside, folder)
      chmodSync(file, mode)
      const groups = [group === 'own' ? gid : OTHER]
      const lacking = unreadable({ files: [file], folders: listed ? [inside] : [] }, groups)
      expect(lacking.filter(({ path }) => path.startsWith(root)).map((one) => one.mode)).to.deep.equal(expected)
    })

  it('is cured by one command for all folders and one for all files', () => {
    const files = [file, join(inside, "it's.conf")]
    writeFileSync(files[1]!, '')
    for (const path of files) chmodSync(path, 0o600)
    chmodSync(inside, 0o700)
    const lacking = unreadable({ files, folders: [inside] }, []).filter(({ path }) => path.startsWith(root))
    const quoted = `'${inside}/it'\\''s.conf'`
    expect(cureOf(lacking)).to.deep.equal([
      `chgrp postern ${inside} && chmod 750 ${inside}`,
      `chgrp postern ${file} ${quoted} && chmod 640 ${file} ${quoted}`,
    ])
  })
})
