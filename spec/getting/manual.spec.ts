import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'
import { blocksOf, sectionOf } from '../../scripts/manual/markdown.js'
import { item, literal, text } from '../../scripts/manual/roff.js'
import { ROOT } from '../cli/program.js'

const FOLDER = join(ROOT, 'dist/man')
const PAGES = ['postern.1', 'postern.conf.5', 'posternd.8', 'posternd.conf.5']

/** A page as a terminal shows it, without its emphasis and in one line. */
function shown(page: string): string {
  const text = execFileSync(
    'groff',
    ['-K', 'utf8', '-man', '-T', 'utf8', '-P', '-cbou', '-rLL=200n', join(FOLDER, page)],
    {
      encoding: 'utf8',
    },
  )
  return text.replace(/\s+/g, ' ')
}

describe('the manual', () => {
  it('is shown without a warning where the terminal has ASCII alone', () => {
    for (const page of PAGES) {
      const env = { ...process.env, LC_ALL: 'C' }
      const words = ['-K', 'utf8', '-man', '-T', 'ascii', '-ww', join(FOLDER, page)]
      const { status, stderr } = spawnSync('groff', words, { encoding: 'utf8', env })
      expect({ status, stderr }, page).to.deep.equal({ status: 0, stderr: '' })
    }
  })

  it('has a page for each program and each file', () => {
    expect(readdirSync(FOLDER)).to.have.members(PAGES)
  })

  for (const page of PAGES) {
    it(`${page} makes groff warn of nothing`, () => {
      const options = ['-ww', '-K', 'utf8', '-man', '-T', 'utf8', '-z']
      const { status, stderr } = spawnSync('groff', [...options, join(FOLDER, page)], { encoding: 'utf8' })
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    })

    it(`${page} has no mark of Markdown left`, () => {
      expect(readFileSync(join(FOLDER, page), 'utf8')).not.to.match(/\(ga|\*\*|\]\(/)
    })
  }

  for (const [page, program] of [
    ['postern.1', postern],
    ['posternd.8', posternd],
  ] as const)
    it(`${page} says each command with each option and example as --help does`, () => {
      const words = shown(page)
      for (const { name, positionals, options, examples } of allCommands(program)) {
        expect(words).to.include(`${program.name} ${name} ${positionals}`.trim())
        for (const { name: option, alias, value } of options)
          expect(words).to.include(
            `${alias === undefined ? '' : `-${alias}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
          )
        for (const [line] of examples) expect(words).to.include(line.replace(/\s+/g, ' '))
      }
    })

  it('says every option of the files where it belongs', () => {
    const [server, client] = [shown('posternd.conf.5'), shown('postern.conf.5')]
    for (const option of ['replay-entries', 'guard-forward', 'chain-input', 'require-address', 'realm'])
      expect(server).to.include(option)
    expect(server).not.to.include('default-user')
    expect(client).to.include('default-user').and.include('realm').and.include('instant: yes')
    expect(client).not.to.include('replay-entries')
  })

  it('shows what stands in a text as it stands there', () => {
    expect(text('a `--b` **c** [d](e)')).to.equal('a \\fB\\-\\-b\\fR \\fBc\\fR d')
    expect(literal(".a\n'b\n\\c")).to.equal("\\&.a\n\\&'b\n\\ec")
    expect(item('`x`', 'y')).to.equal('.TP\n\\fBx\\fR\ny')
  })

  it('is not made where a document has lost a section', () => {
    expect(() => sectionOf('## One\n\ntext\n', 'Two')).to.throw('no section "Two"')
    expect(blocksOf('| a | b |\n| --- | --- |\n| `x\\|y` | z |\n')).to.deep.equal([
      { kind: 'table', rows: [['`x|y`', 'z']] },
    ])
  })
})
