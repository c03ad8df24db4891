import { expect } from 'chai'
import { screenOf } from '../../../lib/cli/daemon/watching.js'

describe('a screen that is written over', () => {
  const lines = (screen: string) => screen.split('\n').map((line) => line.replace('\x1b[K', ''))

  it('begins at the top, clears each line to its end, and what is below', () => {
    expect(screenOf('a\nb', 24)).to.equal('\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J')
  })

  it('has as many lines as fit, and counts the others', () => {
    const screen = lines(screenOf('1\n2\n3\n4\n5\n6', 5))
    expect(screen).to.deep.equal(['\x1b[H1', '2', '3', '… 3 lines more', '\x1b[J'])
    expect(lines(screenOf('1\n2\n3\n4', 5))).to.deep.equal(['\x1b[H1', '2', '3', '4', '\x1b[J'])
  })

  it('has all of them where the terminal does not know its size', () => {
    for (const rows of [0, undefined])
      expect(lines(screenOf('1\n2\n3', rows))).to.deep.equal(['\x1b[H1', '2', '3', '\x1b[J'])
  })
})
