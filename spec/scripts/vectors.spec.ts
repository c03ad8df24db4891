import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ShapeError } from '../../scripts/checkers/shape.js'
import { checkSpa } from '../../scripts/checkers/spa.js'

type Entry = Record<string, unknown> & { instant_index: number | null; tag: string; token: string }
type Vectors = { valid: Entry[]; invalid: Entry[]; instant_tokens: Entry[] }

const PROGRAM = fileURLToPath(new URL('../../scripts/vectors', import.meta.url))
const FILE = fileURLToPath(new URL('../vectors/spa.json', import.meta.url))
const TEXT = readFileSync(FILE, 'utf8')
const load = (): Vectors => JSON.parse(TEXT)

/** Another value of the same kind: the last hex digit, or the number, is another one. */
function changed(name: string, value: unknown): unknown {
  if (name === 'address') return value === null ? '192.0.2.200' : '2001:db8::200'
  if (name === 'operation') return ((value as number) + 1) % 3
  if (name === 'pad') return ((value as number) + 1) % 171
  if (name === 'tag_index') return ((value as number) + 1) % 4
  if (name === 'instant_index') return value === null ? 3 : ((value as number) + 1) % 16
  if (typeof value === 'number') return value + 1
  if (name === 'realm') return `${value}.`
  const text = value as string
  return text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')
}

describe('the SPA vectors', () => {
  it('all agree', () => {
    const tally = checkSpa(load())
    expect(tally.differences).to.deep.equal([])
    expect(tally).to.include({ agreed: 84, differed: 0 })
  })

  it('differ where any one field of a valid one is another', () => {
    const { valid } = load()
    for (const entry of [valid[0]!, valid.find((one) => one.instant_index !== null)!])
      for (const name of Object.keys(entry)) {
        const tally = checkSpa({ valid: [{ ...entry, [name]: changed(name, entry[name]) }] })
        expect(tally, `${name} ${changed(name, entry[name])}`).to.include({ agreed: 0, differed: 1 })
        expect(tally.differences[0]).to.match(/^valid\[0\]: /)
      }
  })

  it('differ where any one field of a token is another', () => {
    const entry = load().instant_tokens[0]!
    for (const name of Object.keys(entry)) {
      const tally = checkSpa({ instant_tokens: [{ ...entry, [name]: changed(name, entry[name]) }] })
      expect(tally, name).to.include({ agreed: 0, differed: 1 })
    }
  })

  it('differ where what should be refused is accepted', () => {
    const ordinary = load().valid.filter((entry) => entry.instant_index === null)
    const tally = checkSpa({ invalid: ordinary.map((entry) => ({ ...entry, refused_because: 'pad' })) })
    expect(tally).to.include({ agreed: 0, differed: ordinary.length })
    expect(tally.differences[0]).to.equal('invalid[0]: gate: request here, silence in the file (pad)')
  })

  it('take the silence that every instant datagram meets for nothing where its bytes are not what its fields say', () => {
    const instant = load().valid.find((entry) => entry.instant_index !== null)!
    const tally = checkSpa({ invalid: [{ ...instant, refused_because: 'lifetime', lifetime_s: 5 }] })
    expect(tally).to.include({ agreed: 0, differed: 1 })
    const faultless = checkSpa({ invalid: [{ ...instant, refused_because: 'operation' }] })
    expect(faultless).to.include({ agreed: 1, differed: 0 })
    expect(faultless.notes).to.have.length(1)
  })

  const illShaped: [string, unknown, string][] = [
    ['a list', [], 'file: expected an object'],
    ['nothing', null, 'file: expected an object'],
    ['no vectors', {}, 'not one vector'],
    ['empty lists', { valid: [], invalid: [], instant_tokens: [] }, 'not one vector'],
    ['an unknown list', { vaild: [{}] }, 'found "vaild"'],
    ['a list that is none', { valid: {} }, 'valid: expected a list'],
    ['a vector that is none', { valid: [7] }, 'valid[0]: expected an object, found 7'],
    [
      'a missing field',
      { valid: [{ ...load().valid[0], tag: undefined }] },
      'valid[0].tag: expected text, found nothing',
    ],
    ['odd hex digits', { invalid: [{ ...load().invalid[0], datagram: 'abc' }] }, 'invalid[0].datagram: expected bytes'],
    ['a user that is none', { invalid: [{ ...load().invalid[0], user: 'x' }] }, 'invalid[0].user: expected 1–8 hex'],
    [
      'an address that is none',
      { valid: [{ ...load().valid[0], address: '1.2.3' }] },
      'valid[0].address: expected an IP',
    ],
    [
      'a time that is text',
      { valid: [{ ...load().valid[0], time_ms: '1' }] },
      'valid[0].time_ms: expected a whole number',
    ],
  ]
  for (const [what, file, message] of illShaped)
    it(`are not ${what}`, () => {
      expect(() => checkSpa(file)).to.throw(ShapeError, message)
    })
})

describe('scripts/vectors', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-vectors-'))
  })
  after(() => {
    rmSync(folder, { recursive: true })
  })

  /** Runs the program in another folder than the project's. */
  function run(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(PROGRAM, words, { cwd: folder, encoding: 'utf8' })
    return { status, lines: stdout.trimEnd().split('\n'), stderr }
  }

  it('says how many agreed, from any folder and through a link', () => {
    expect(run('spa', FILE)).to.deep.include({ status: 0, lines: ['84 agreed, 0 differed'] })
    symlinkSync(PROGRAM, join(folder, 'link'))
    writeFileSync(join(folder, 'here.json'), TEXT)
    const { status } = spawnSync(join(folder, 'link'), ['spa', 'here.json'], { cwd: folder })
    expect(status).to.equal(0)
  })

  it('prints each difference and fails', () => {
    const vectors = load()
    vectors.valid[2]!.tag = '0000000000000000'
    vectors.instant_tokens[1]!.token = '00'
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify(vectors))
    const { status, lines } = run('spa', 'wrong.json')
    expect(status).to.equal(1)
    expect(lines.at(-1)).to.equal('82 agreed, 2 differed')
    expect(lines[0]).to.match(/^valid\[2\]: tag: byte 0 is \d+ here, 0 in the file$/)
    expect(lines).to.include('instant_tokens[1]: token: 16 bytes here, 1 in the file')
  })

  it('says what is wrong with its words or its file', () => {
    writeFileSync(join(folder, 'empty.json'), '')
    writeFileSync(join(folder, 'none.json'), '{"about": "nothing"}')
    const cases: [string[], RegExp][] = [
      [[], /usage: scripts\/vectors PROTOCOL FILE/],
      [['spa'], /usage/],
      [['spa', FILE, 'more'], /usage/],
      [['knockd', FILE], /protocol "knockd": expected spa/],
      [['spa', 'absent.json'], /absent\.json: ENOENT.*expected a readable file/],
      [['spa', '.'], /EISDIR/],
      [['spa', 'empty.json'], /empty\.json: no JSON/],
      [['spa', 'none.json'], /none\.json: not one vector/],
    ]
    for (const [words, message] of cases) {
      const { status, lines, stderr } = run(...words)
      expect(status, words.join(' ')).to.equal(2)
      expect(stderr).to.match(message)
      expect(lines).to.deep.equal([''])
    }
  })
})
