import { expect } from 'chai'
import fc from 'fast-check'
import { formatId, parseId } from '../../lib/wire/ids.js'

describe('ids', () => {
  for (const [text, id] of [
    ['0', 0],
    ['1', 1],
    ['00000001', 1],
    ['aBcD', 0xabcd],
    ['FFFFFFFF', 0xffffffff],
  ] as const)
    it(`${text} is the number ${id}`, () => {
      expect(parseId(text)).to.equal(id)
    })

  for (const text of ['', ' 1', '1 ', '1\n', '0x1', '000000001', '-1', 'g', '1.0', '1e3 ', '１'])
    it(`${JSON.stringify(text)} is none`, () => {
      expect(parseId(text)).to.equal(undefined)
    })

  it('are written as 8 upper-case digits', () => {
    expect(formatId(0)).to.equal('00000000')
    expect(formatId(0x22)).to.equal('00000022')
    expect(formatId(0xdeadbeef)).to.equal('DEADBEEF')
  })

  it('are what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (id) => {
        expect(parseId(formatId(id))).to.equal(id)
      }),
    )
  })
})
