import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectory } from '../../lib/replay/disk.js'
import { ReplayError } from '../../lib/replay/error.js'
import { SALT_FILE, SALT_RECORD_BYTES } from '../../lib/replay/salt-file.js'
import { openSalts } from '../../lib/replay/salts.js'
import { openOn, PER_USER, saltOf } from './few-salts.js'
import { MemoryDisk } from './memory-disk.js'

describe("the salts' file", () => {
  it('is a header and one record a salt, checked each by itself, for its owner alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-salts-'))
    try {
      const path = join(folder, 'here')
      const salts = openSalts({ directory: openDirectory(path), seed: 1 })
      expect(salts.note(0x01020304, Uint8Array.of(0xa0, 1, 2, 3, 4, 5, 6, 0xff))).to.equal('new')
      salts.close()
      expect(readFileSync(join(path, SALT_FILE)).toString('hex')).to.equal(
        `${Buffer.from('postern salts 1\n').toString('hex')}01020304a0010203040506fffa64f39a`,
      )
      expect(statSync(join(path, SALT_FILE)).mode & 0o777).to.equal(0o600)
      const again = openSalts({ directory: openDirectory(path), seed: 2 })
      expect(again.note(0x01020304, Uint8Array.of(0xa0, 1, 2, 3, 4, 5, 6, 0xff))).to.equal('seen')
      expect(again.note(0x01020305, Uint8Array.of(0xa0, 1, 2, 3, 4, 5, 6, 0xff))).to.equal('new')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('loses what is damaged, says so, and is mended', () => {
    const disk = new MemoryDisk()
    const first = openOn(disk.mount())
    for (let number = 0; number < 30; number++) first.note(1, saltOf(number))
    const files = disk.snapshot()
    const bytes = files.get(SALT_FILE)!
    expect(bytes.length).to.equal(31 * SALT_RECORD_BYTES)
    for (let at = 0; at < bytes.length; at++) {
      const other = Buffer.from(bytes)
      other[at]! ^= 1 << (at % 8)
      disk.restore(new Map([[SALT_FILE, other]]))
      const salts = openOn(disk.mount())
      const { found } = salts.status()
      const lost = Math.floor(at / SALT_RECORD_BYTES) - 1
      expect(found.why).to.contain(lost < 0 ? 'header is not that of version 1' : '1 records are damaged')
      expect(found.damaged).to.equal(lost < 0 ? 0 : 1)
      for (let number = 0; number < 30; number++)
        expect(salts.note(1, saltOf(number)), `byte ${at}`).to.equal(number === lost ? 'new' : 'seen')
      for (let number = 100; number < 110; number++) salts.note(1, saltOf(number))
      expect(openOn(disk.mount()).status().found, `byte ${at}`).to.not.have.property('why')
    }
  })

  it('loses what was cut off', () => {
    const disk = new MemoryDisk()
    const first = openOn(disk.mount())
    for (let number = 0; number < 5; number++) first.note(1, saltOf(number))
    const bytes = disk.snapshot().get(SALT_FILE)!
    for (let length = 0; length <= bytes.length; length++) {
      disk.restore(new Map([[SALT_FILE, bytes.subarray(0, length)]]))
      const salts = openOn(disk.mount())
      const whole = Math.max(0, Math.floor(length / SALT_RECORD_BYTES) - 1)
      expect(salts.status().found.why === undefined, `${length} bytes`).to.equal(length % SALT_RECORD_BYTES === 0)
      for (let number = 0; number < 5; number++)
        expect(salts.note(1, saltOf(number)), `${number} of ${length} bytes`).to.equal(number < whole ? 'seen' : 'new')
      const anew = openOn(disk.mount())
      expect(anew.status().found.why).to.equal(undefined)
      for (let number = 0; number < 5; number++) expect(anew.note(1, saltOf(number))).to.equal('seen')
    }
  })

  it('loses no more than the newest to a power cut, also while it is rewritten', () => {
    for (const unsynced of ['lost', 'kept', 'zeros'] as const)
      for (let notes = 90; notes < 130; notes++) {
        const disk = new MemoryDisk()
        const salts = openOn(disk.mount())
        for (let number = 0; number < 85; number++) salts.note(1, saltOf(number))
        for (const inode of disk.files.values()) inode.synced = Buffer.from(inode.bytes)
        disk.syncNames()
        for (let number = 85; number < notes; number++) salts.note(1, saltOf(number))
        disk.cutPower(unsynced === 'kept' ? disk.unsyncedNames : 0, unsynced)
        const anew = openOn(disk.mount())
        const oldest = Math.max(0, notes - PER_USER)
        for (let number = oldest; number < 85; number++)
          expect(anew.note(1, saltOf(number)), `${unsynced} ${notes}: ${number}`).to.equal('seen')
      }
  })

  it('that cannot be read, or not be added to, is an error', () => {
    const disk = new MemoryDisk()
    openOn(disk.mount()).note(1, saltOf(1))
    for (const failing of ['read', 'append']) {
      const process = disk.mount()
      process.fault = (_call, operation) => (operation === failing ? 'eio' : undefined)
      expect(() => openOn(process))
        .to.throw(ReplayError, /^salts \/run\/journal/)
        .with.property('code', 'salts')
    }
  })
})
