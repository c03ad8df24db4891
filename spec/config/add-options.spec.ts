import { expect } from 'chai'
import fc from 'fast-check'
import { addOptions } from '../../lib/config/add-options.js'
import { parseIni } from '../../lib/config/ini.js'

const NEW = { section: 'B', name: 'new', value: '1' }

describe('options that are added to a file', () => {
  for (const [text, additions, expected] of [
    ['', [NEW], '[B]\nnew = 1\n'],
    ['[A]\nx = 1\n', [NEW], '[A]\nx = 1\n\n[B]\nnew = 1\n'],
    ['[A]\nx = 1', [NEW], '[A]\nx = 1\n\n[B]\nnew = 1\n'],
    ['[A]\nx = 1\n continued', [NEW], '[A]\nx = 1\n continued\n\n[B]\nnew = 1\n'],
    ['[B]\nx = 1\n', [NEW], '[B]\nnew = 1\nx = 1\n'],
    ['[B]', [NEW], '[B]\nnew = 1\n'],
    [' [B] \n# word\nx=1\n[A]\n', [NEW], ' [B] \nnew = 1\n# word\nx=1\n[A]\n'],
    ['[B]\nnew = 7\n', [NEW], '[B]\nnew = 7\n'],
    ['[B]\r\nx = 1\r\n', [NEW], '[B]\r\nnew = 1\r\nx = 1\r\n'],
    ['[A]\r\nx = 1\r\n', [NEW], '[A]\r\nx = 1\r\n\r\n[B]\r\nnew = 1\r\n'],
    ['[B]\n  x = 1\n', [NEW], '[B]\nnew = 1\n\n  x = 1\n'],
    ['[B]\n', [{ ...NEW, comment: ['why'] }], '[B]\n# why\nnew = 1\n'],
    ['[B]\n', [NEW, { ...NEW, name: 'too' }], '[B]\nnew = 1\ntoo = 1\n'],
    ['', [NEW, { ...NEW, section: 'C' }, { ...NEW, name: 'too' }], '[B]\nnew = 1\ntoo = 1\n\n[C]\nnew = 1\n'],
  ] as const) {
    it(`${JSON.stringify(text)} and ${additions.map(({ section, name }) => `[${section}] ${name}`).join(', ')}`, () => {
      expect(addOptions(text, additions)).to.equal(expected)
    })
  }

  it('are there, and nothing else has changed, whatever the file is', () => {
    const row = fc.constantFrom('[A]', '[B]', ' [B]', 'x = 1', 'new = 2', ' more', ' z = 3', '', '# word', '\t', 'y=')
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (rows, end, closed) => {
          const text = rows.join(end) + (closed ? end : '')
          fc.pre(parseIni(text).problems.length === 0)
          const [before, after] = [parseIni(text), parseIni(addOptions(text, [NEW]))]
          const plain = ({ sections }: typeof before) =>
            [...sections.values()].map(({ name, options }) => [
              name,
              options.filter((one) => name !== 'B' || one.name !== 'new').map((one) => [one.name, one.value.trim()]),
            ])
          expect(after.problems).to.deep.equal([])
          expect(after.sections.get('B')?.options.some(({ name }) => name === 'new')).to.equal(true)
          expect(plain(after).filter(([name]) => before.sections.has(String(name)))).to.deep.equal(plain(before))
        },
      ),
    )
  })
})
