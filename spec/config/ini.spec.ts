import { expect } from 'chai'
import fc from 'fast-check'
import { lineAt, parseIni, trim } from '../../lib/config/ini.js'

const KEY = '9F3C51D2A7B84E06F1C29D7B3A58E4601C7FD2B9856E43A0D1F7285B9CE63A40'

describe('the grammar of configuration files', () => {
  it('tells the line of every option, and of every line that continues one', () => {
    const { sections, problems } = parseIni('# top\n[A]\none = 1\n\n[B]\r\ntwo = x /\r\n  y /\r\n\tz\r\n')
    expect(problems).to.deep.equal([])
    expect(sections.get('A')).to.deep.equal({
      name: 'A',
      line: 2,
      options: [{ name: 'one', value: ' 1', line: 3, continued: [] }],
    })
    const two = sections.get('B')!.options[0]!
    expect(two.value).to.equal(' x / y / z')
    expect([...two.value].map((_, offset) => lineAt(two, offset))).to.deep.equal([6, 6, 6, 6, 6, 7, 7, 7, 7, 8])
  })

  it('collects everything that is wrong, each in its line, and reads on', () => {
    const { sections, problems } = parseIni(
      ['a = 1', '[S', '[]', '[S]', 'word', '= 2', 'x = 1', 'x = 2', '[S]', 'y = 3', '[T] tail'].join('\n'),
    )
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).to.deep.equal([
      '1: option "a": expected a section header [NAME] above it',
      '2: section header "[S": expected [NAME] and nothing behind it',
      '3: section header "[]": expected a name',
      '5: "word": expected NAME = VALUE',
      '6: "= 2": expected a name before "="',
      '8: option "x" is here twice: the first is in line 7',
      '9: section [S] is here twice: the first is in line 4',
      '11: section header "[T] tail": expected [NAME] and nothing behind it',
    ])
    expect(sections.get('S')!.options.map(({ name, value }) => name + value)).to.deep.equal(['x 1', 'y 3'])
  })

  it('refuses a byte order mark and still reads what is behind it', () => {
    const { sections, problems } = parseIni('\uFEFF[A]\nx = 1')
    expect(problems).to.deep.equal([{ line: 1, message: 'byte order mark: expected UTF-8 without one' }])
    expect([...sections.keys()]).to.deep.equal(['A'])
  })

  it('shows no key that stands in a wrong line', () => {
    const misplaced = [
      `00000001 = ${KEY}`,
      `[KEYS]\n00000001 ${KEY}`,
      `[KEYS]\n00000001 ${KEY.slice(0, 12)}`,
      `[GENERAL]\n${KEY.replace('5', 'x')}`,
      `[GENERAL]\n${KEY.replaceAll(/(....)/g, '$1 ')}`,
      `[${KEY}`,
    ]
    for (const text of misplaced) {
      const { problems } = parseIni(text)
      expect(problems).to.have.length(1)
      expect(problems[0]!.message).to.not.match(/9F3C|51D2|A7B8/)
    }
  })

  it('reads 100,000 keys without a linear search for each', () => {
    // With a search for each this would meet the runner's time limit.
    const rows = Array.from({ length: 100_000 }, (_, i) => `${i.toString(16)} = ${KEY}`)
    const { sections, problems } = parseIni(`[KEYS]\n${rows.join('\n')}`)
    expect(problems).to.deep.equal([])
    expect(sections.get('KEYS')!.options).to.have.length(100_000)
  })

  it('never throws, and names only lines that are there', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('[A]', '[A', 'x = 1', ' y', '\t', '#', '=', '', '\r', 'x'), { maxLength: 12 })
        .map((l) => l.join('\n')),
    )
    fc.assert(
      fc.property(text, (content) => {
        const lines = content.split('\n').length
        const { sections, problems } = parseIni(content)
        for (const { line } of problems) expect(line).to.be.within(1, lines)
        for (const section of sections.values())
          for (const option of section.options) {
            expect(option.line).to.be.within(section.line + 1, lines)
            for (const row of option.continued) expect(row.line).to.be.within(option.line + 1, lines)
          }
      }),
    )
  })

  it('gives back what was written into it', () => {
    const visible = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((s) => s.replaceAll(/[\s=[\]#\u0085\uFEFF]/g, 'x'))
    const file = fc.dictionary(visible, fc.dictionary(visible, visible, { noNullPrototype: true }), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(file, fc.constantFrom('\n', '\r\n'), (sections, end) => {
        const rows = Object.entries(sections).flatMap(([name, options]) => [
          `[${name}]`,
          ...Object.entries(options).map(([option, value]) => `${option} = ${value}`),
        ])
        const ini = parseIni(rows.join(end))
        expect(ini.problems).to.deep.equal([])
        const read = [...ini.sections.values()].map(({ name, options }) => [
          name,
          options.map((option) => [option.name, trim(option.value)]),
        ])
        expect(read).to.deep.equal(Object.entries(sections).map(([name, options]) => [name, Object.entries(options)]))
      }),
    )
  })
})
