/** What README and docs tell people to type and to open is there, spelled so. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands, type Program } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'
import { ROOT } from '../cli/program.js'

const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true }).map((name) => `docs/${name}`),
].filter((page) => page.endsWith('.md'))
/** Words behind our name that begin a file, or are put into a key: no commands. */
const FORMATS = ['instant', 'salts', 'horizon']
const PROGRAMS: readonly Program[] = [postern, posternd]

/** What stands in code: between backticks, and in blocks that are moved in, up to a comment. */
function codeOf(text: string): readonly string[] {
  const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
  const blocks = text.split('\n').filter((line) => line.startsWith('    '))
  return [...spans, ...blocks].map((code) => code.replace(/\s+/g, ' ').replace(/(^| )# .*/, ''))
}

/** Each call of one of our programs there, at this machine or by ssh: its command, and its options. */
function callsIn(code: string): readonly { name: string; command: string; options: readonly string[] }[] {
  return code.split(/&&|\|\||[|;<>()']/).flatMap((part) => {
    const [, name, command, rest] = /^(?:ssh \S+ )?(posternd?) ([a-z][a-z-]*)(?![\w./])(.*)/.exec(part.trim()) ?? []
    if (name === undefined || command === undefined || FORMATS.includes(command)) return []
    return [
      {
        name,
        command,
        options: [...(rest ?? '').matchAll(/(?:^|\s)(--?[a-zA-Z0-9][\w-]*)/g)].map(([, word]) => word!),
      },
    ]
  })
}

/** The anchor that a heading gets where Markdown is shown. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** Anchors of a page; lines of code are none of its headings. */
function anchorsOf(page: string): readonly string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
}

describe('README and docs', () => {
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), 'utf8')

    it(`${page}: each command of ours that it names is there, with each of its options`, () => {
      const wrong = codeOf(text)
        .flatMap(callsIn)
        .flatMap(({ name, command, options }) => {
          const program = PROGRAMS.find((candidate) => candidate.name === name)!
          const known = allCommands(program).find((candidate) => candidate.name === command)
          if (known === undefined) return [`${name} ${command}`]
          const spellings = known.options.flatMap((option) => [`--${option.name}`, `-${option.alias ?? option.name}`])
          return options
            .filter((option) => ![...spellings, '--help', '-h'].includes(option))
            .map((option) => `${name} ${command} ${option}`)
        })
      expect(wrong).to.deep.equal([])
    })

    it(`${page}: each script and each of our files that it names is there`, () => {
      const named = codeOf(text).flatMap(
        (code) => code.match(/(?<![\w./~-])(?:scripts|conf|lib|spec|nftables|docs)\/[\w./-]*\w(?![\w*])/g) ?? [],
      )
      expect(named.filter((path) => !existsSync(join(ROOT, path)))).to.deep.equal([])
    })

    it(`${page}: each link leads somewhere`, () => {
      const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => {
          const [path, anchor] = target.split('#')
          const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path!)
          return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor))
        })
      expect(broken).to.deep.equal([])
    })
  }
})
