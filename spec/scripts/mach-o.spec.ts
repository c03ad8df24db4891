import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { isSignedAsItIs, signedAdHoc } from '../../scripts/mach-o.js'

const CODE_BYTES = 3 * 4096 + 100

/** A program of four pages, whose signature speaks of nothing. */
function program(): Buffer {
  const bytes = Buffer.alloc(CODE_BYTES + 16, 7)
  bytes.fill(0, 0, 32 + 72 + 72 + 16)
  bytes.writeUInt32LE(0xfeedfacf, 0)
  bytes.writeUInt32LE(3, 16)
  const segment = (at: number, name: string, from: number, size: number) => {
    bytes.writeUInt32LE(0x19, at)
    bytes.writeUInt32LE(72, at + 4)
    bytes.write(name, at + 8)
    bytes.writeBigUInt64LE(0x1000n, at + 32)
    bytes.writeBigUInt64LE(BigInt(from), at + 40)
    bytes.writeBigUInt64LE(BigInt(size), at + 48)
  }
  segment(32, '__TEXT', 0, 8192)
  segment(104, '__LINKEDIT', 8192, bytes.length - 8192)
  for (const [i, word] of [0x1d, 16, CODE_BYTES, 16].entries()) bytes.writeUInt32LE(word, 176 + 4 * i)
  for (const [i, word] of [0xfade0cc0, 16, 0, 0].entries()) bytes.writeUInt32BE(word, CODE_BYTES + 4 * i)
  return bytes
}

describe('the signature of a program for macOS', () => {
  it('is found wanting, and made so that each page is what it says', () => {
    expect(isSignedAsItIs(program())).to.equal(false)
    const signed = signedAdHoc(program(), 'postern')
    expect(isSignedAsItIs(signed)).to.equal(true)
    const directory = CODE_BYTES + 20
    expect(signed.toString('latin1', directory + 88, directory + 96)).to.equal('postern\0')
    const hash = createHash('sha256').update(signed.subarray(12_288, CODE_BYTES)).digest()
    expect(signed.subarray(directory + 96 + 3 * 32, directory + 96 + 4 * 32)).to.deep.equal(hash)
  })

  it('lies within the segment that it ends, and is the end of the file', () => {
    const signed = signedAdHoc(program(), 'postern')
    expect(signed.readUInt32LE(176 + 8) + signed.readUInt32LE(176 + 12)).to.equal(signed.length)
    expect(8192n + signed.readBigUInt64LE(104 + 48)).to.equal(BigInt(signed.length))
    expect(signed.readBigUInt64LE(104 + 32) >= signed.readBigUInt64LE(104 + 48)).to.equal(true)
    expect(signed.subarray(200, CODE_BYTES)).to.deep.equal(program().subarray(200, CODE_BYTES))
  })

  it('does not outlive a change to any byte in front of it', () => {
    for (const place of [0x60, 4096, CODE_BYTES - 1]) {
      const signed = signedAdHoc(program(), 'postern')
      signed[place]! ^= 1
      expect(isSignedAsItIs(signed), `${place}`).to.equal(false)
    }
  })

  it('can be made again', () => {
    const once = signedAdHoc(program(), 'postern')
    expect(signedAdHoc(once, 'postern')).to.deep.equal(once)
  })

  it('is not looked for in what is no such program', () => {
    expect(() => isSignedAsItIs(Buffer.from('#!/bin/sh\n'))).to.throw(RangeError, 'expected one of 64 bits')
    expect(() => signedAdHoc(program().subarray(0, -1), 'postern')).to.throw(RangeError, /^a signature that ends at/)
  })
})
