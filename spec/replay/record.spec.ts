import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { headerRecord, RECORD_BYTES, readRecord, sealRecord, U48_MAX, writeEntry } from '../../lib/replay/record.js'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u48 = fc.integer({ min: 0, max: U48_MAX })
const extent = fc.record({ timeMs: u48, expiresMs: u48, expiresMonoMs: u48 })
const entries = fc
  .tuple(u32, fc.uint8Array({ minLength: 1, maxLength: 32 }), extent)
  .map(([user, id, reach]) => ({ user, id: Buffer.from(id), ...reach }))
const headers = fc.record({
  segment: u32,
  bootId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  startedMonoMs: u48,
  before: extent,
  previousRecords: u32,
  previousCheck: u32,
})

describe("the journal's records", () => {
  it('say the same when they are read', () => {
    fc.assert(
      fc.property(entries, u32, u32, (entry, place, check) => {
        const bytes = Buffer.alloc(RECORD_BYTES, 0xff)
        writeEntry(bytes, entry, Math.max(1, place), check)
        expect(readRecord(bytes, Math.max(1, place), check)).to.deep.equal({ kind: 'entry', entry })
      }),
    )
    fc.assert(
      fc.property(headers, (header) => {
        const { bytes, check } = headerRecord(header)
        expect(readRecord(bytes, 0, 0)).to.deep.equal({ kind: 'header', header, check })
      }),
    )
    expect(readRecord(sealRecord(5, 6), 5, 6)).to.deep.equal({ kind: 'sealed' })
  })

  it('are damaged when any byte is another, or at another place, or in another segment', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 255 }), (entry, at, change) => {
        const bytes = Buffer.alloc(RECORD_BYTES)
        writeEntry(bytes, entry, 3, 77)
        expect(readRecord(bytes, 4, 77).kind).to.equal('damaged')
        expect(readRecord(bytes, 3, 78).kind).to.equal('damaged')
        bytes[at]! ^= change
        expect(readRecord(bytes, 3, 77).kind).to.equal('damaged')
      }),
    )
  })

  it('of another version are told as such', () => {
    const { bytes } = headerRecord({
      segment: 0,
      bootId: new Uint8Array(16),
      startedMonoMs: 0,
      before: { timeMs: 0, expiresMs: 0, expiresMonoMs: 0 },
      previousRecords: 0,
      previousCheck: 0,
    })
    bytes[1] = 2
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 60)), 60)
    expect(readRecord(bytes, 0, 0)).to.deep.equal({ kind: 'version', version: 2 })
  })

  it('refuse numbers that do not fit', () => {
    const entry = { user: 1, id: Buffer.alloc(24), timeMs: U48_MAX + 1, expiresMs: 0, expiresMonoMs: 0 }
    expect(() => writeEntry(Buffer.alloc(RECORD_BYTES), entry, 1, 0)).to.throw(RangeError)
  })
})
