import { expect } from 'chai'
import fc from 'fast-check'
import { appendSection, mapOption, removeOptions, removeSection, setOption } from '../../lib/config/edit.js'
import { parseIni } from '../../lib/config/ini.js'

const FILE = `# mine
[KEYS]
# the laptop
00000001 = AA
  more
00000002 = BB

[SPA]
realm = gate
`

describe('a file’s text is changed', () => {
  it('in one option, and nowhere else', () => {
    expect(setOption(FILE, 'SPA', 'realm', 'home')).to.equal(FILE.replace('gate', 'home'))
    expect(setOption(FILE, 'KEYS', '00000001', 'CC')).to.equal(FILE.replace('AA\n  more', 'CC'))
    const byId = (name: string) => Number.parseInt(name, 16) === 2
    expect(setOption(FILE, 'KEYS', '2', 'CC', byId)).to.equal(FILE.replace('00000002 = BB', '2 = CC'))
    expect(setOption(FILE, 'SPA', 'host', 'x')).to.equal(`${FILE}host = x\n`)
  })

  it('by a new option, behind the last of its section, so that each comment stays above what it speaks of', () => {
    const file = '[KEYS]\n# enroll adds one\n1 = AA\n  more\n\n  # indented\n[SPA]\nrealm = gate'
    expect(setOption(file, 'KEYS', '2', 'BB')).to.equal(`${file.replace('more\n', 'more\n2 = BB\n')}\n`)
    expect(setOption(file, 'SPA', 'host', 'x')).to.equal(`${file}\nhost = x\n`)
    const crlf = file.replaceAll('\n', '\r\n')
    expect(setOption(crlf, 'KEYS', '2', 'BB')).to.equal(`${crlf.replace('more\r\n', 'more\r\n2 = BB\r\n')}\r\n`)
    expect(setOption('[KEYS]\n# none\n', 'KEYS', '2', 'BB'), 'none is there').to.equal('[KEYS]\n2 = BB\n# none\n')
  })

  it('by taking options out, and the section where it is left empty', () => {
    expect(removeOptions(FILE, 'KEYS', (name) => name === '00000001')).to.equal(
      FILE.replace('00000001 = AA\n  more\n', ''),
    )
    expect(removeOptions(FILE, 'SPA', () => true)).to.equal(FILE.replace('[SPA]\nrealm = gate\n', ''))
    expect(removeOptions(FILE, 'KEYS', () => true)).to.include('[KEYS]\n# the laptop\n')
    expect(removeOptions(FILE, 'USERS', () => true)).to.equal(FILE)
  })

  it('by a section', () => {
    expect(removeSection(FILE, 'KEYS')).to.equal('# mine\n[SPA]\nrealm = gate\n')
    expect(removeSection(FILE, 'SPA')).to.equal(FILE.replace('[SPA]\nrealm = gate\n', ''))
    expect(appendSection(FILE, 'HOST x', ['a = b'])).to.equal(`${FILE}\n[HOST x]\na = b\n`)
    expect(appendSection('', 'HOST x', ['a = b'])).to.equal('[HOST x]\na = b\n')
    expect(appendSection('# no end', 'HOST x', [])).to.equal('# no end\n\n[HOST x]\n')
  })

  it('where a value goes on over lines', () => {
    const option = parseIni(FILE).sections.get('KEYS')!.options[0]!
    expect(mapOption(FILE, option, (value) => value.replace('more', 'less'))).to.equal(FILE.replace('more', 'less'))
  })

  it('with the ends of line that it has', () => {
    const crlf = FILE.replaceAll('\n', '\r\n')
    expect(setOption(crlf, 'SPA', 'realm', 'home')).to.equal(crlf.replace('gate', 'home'))
    expect(appendSection(crlf, 'X', ['a = b'])).to.equal(`${crlf}\r\n[X]\r\na = b\r\n`)
  })

  it('so that whatever was set is read, and all else as before', () => {
    const names = fc.stringMatching(/^[a-z]{1,8}$/)
    const files = fc.dictionary(names, fc.dictionary(names, names, { maxKeys: 4 }), { maxKeys: 4 })
    fc.assert(
      fc.property(files, names, names, names, (sections, section, name, value) => {
        const text = Object.entries(sections)
          .map(([title, options]) =>
            [`[${title}]`, ...Object.entries(options).map(([n, v]) => `${n} = ${v}`)].join('\n'),
          )
          .join('\n')
        const meaning = (of: string) =>
          Object.fromEntries(
            [...parseIni(of).sections].map(([title, { options }]) => [
              title,
              Object.fromEntries(options.map((option) => [option.name, option.value.trim()])),
            ]),
          )
        const wanted = { ...meaning(text), [section]: { ...meaning(text)[section], [name]: value } }
        expect(meaning(setOption(text, section, name, value))).to.deep.equal(wanted)
      }),
    )
  })
})
