import { expect } from 'chai'
import { table } from '../../lib/cli/print.js'

describe('a table', () => {
  it('has columns of equal width and nothing behind the last', () => {
    const rows = [
      ['USER', 'PORT', 'LEFT'],
      ['00000001', '22', '59 s'],
    ]
    expect(table(rows)).to.equal('USER      PORT  LEFT\n00000001  22    59 s')
  })

  it('of nothing is empty', () => {
    expect(table([])).to.equal('')
  })
})
