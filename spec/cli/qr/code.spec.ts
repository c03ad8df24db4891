/** The vectors were made with uqr 0.1.3 (level L, byte mode, the mask named), one for each version. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { qrCode } from '../../../lib/cli/qr/code.js'
import { drawQr } from '../../../lib/cli/qr/drawing.js'

interface Vector {
  readonly version: number
  readonly bytes: number
  readonly mask: number
  /** Of the rows as text of 0 and 1, the first 16 bytes. */
  readonly sha256: string
}
const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/qr.json', import.meta.url), 'utf8')) as Vector[]

function textOf(length: number): string {
  const letter = (i: number) => (i === 0 ? 'p' : 'ABCabc0123-_:z'[(i * 7 + length * 3 + i * i) % 14])
  return Array.from({ length }, (_, i) => letter(i)).join('')
}

describe('a QR code', () => {
  for (const { version, bytes, mask, sha256 } of VECTORS)
    it(`of version ${version} is module by module what another encoder makes`, () => {
      const code = qrCode(textOf(bytes), mask)
      const rows = code.map((row) => row.map((dark) => (dark ? '1' : '0')).join('')).join('\n')
      expect(code).to.have.length(17 + 4 * version)
      expect(createHash('sha256').update(rows).digest('hex').slice(0, 32)).to.equal(sha256)
    })

  it('takes one of the eight masks where none is named', () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7].map((mask) => JSON.stringify(qrCode('postern1:AAAA', mask)))
    expect(new Set(all).size).to.equal(8)
    expect(all).to.include(JSON.stringify(qrCode('postern1:AAAA')))
  })

  it('refuses what is too long for it', () => {
    expect(() => qrCode('x'.repeat(900))).to.throw(RangeError, '900 bytes: expected at most 858')
  })

  it('is drawn two modules a character, with a quiet zone', () => {
    const lines = drawQr([
      [true, false],
      [true, true],
    ]).split('\n')
    expect(lines.map((line) => line.replace('\u001b[30;47;107m', '').replace('\u001b[0m', ''))).to.deep.equal(
      ['', '', '    █▄', '', ''].map((line) => line.padEnd(10)),
    )
  })
})
