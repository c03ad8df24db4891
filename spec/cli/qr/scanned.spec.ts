/** The code as a terminal shows it, read by a scanner (zbarimg, of zbar-tools): what comes out is the line, to the letter. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { qrCode } from '../../../lib/cli/qr/code.js'
import { drawQr } from '../../../lib/cli/qr/drawing.js'
import { decodeEnrolment, type EnrolledResource, encodeEnrolment } from '../../../lib/wire/enrolment.js'
import { pictureOf, type Theme } from '../../support/picture.js'
import { bundlePosternd, KEY, ROOT } from '../program.js'
import { onTerminal } from '../terminal.js'

const CELL = { width: 8, height: 16 }
const DARK: Theme = { foreground: 229, background: 0, black: 0, white: 229, brightWhite: 255, cell: CELL }
const THEMES: Readonly<Record<string, Theme>> = {
  'white on black': DARK,
  'black on white': { ...DARK, foreground: 0, background: 255 },
  'of colours of its own, which are not far apart': {
    ...DARK,
    background: 40,
    black: 50,
    white: 200,
    brightWhite: 240,
  },
  'that knows no bright colours': { foreground: 170, background: 0, black: 0, white: 170, cell: CELL },
  'with high, narrow letters': { ...DARK, cell: { width: 6, height: 15 } },
  'with small letters': { ...DARK, cell: { width: 4, height: 8 } },
}

const FILE = `[GENERAL]
port = 5800 / udp
[SPA]
realm = gate.example.org
[KEYS]
00000001 = ${KEY}
[USERS]
00000001 = name: alice
[RESOURCES]
`

describe('a QR code on a terminal, before a scanner', () => {
  let folder: string
  before(() => {
    bundlePosternd()
    folder = mkdtempSync(join(tmpdir(), 'postern-scan-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** What the scanner reads of each picture; one that it cannot read is an error. */
  function scanned(pictures: readonly Buffer[]): string[] {
    const files = pictures.map((picture, i) => {
      const file = join(folder, `${i}.pgm`)
      writeFileSync(file, picture)
      return file
    })
    const words = ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', ...files]
    return execFileSync('zbarimg', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trimEnd()
      .split('\n')
  }

  const drawn = (line: string, theme: Theme, mask?: number) => pictureOf(drawQr(qrCode(line, mask)).split('\n'), theme)

  it('is read at every length from the shortest to the longest, by every mask', () => {
    const lines = Array.from({ length: 40 }, (_, many) => lineOf(resources(many))).filter(({ length }) => length <= 858)
    expect(lines[0]!.length).to.be.lessThan(110)
    expect(lines.at(-1)!.length).to.be.greaterThan(840)
    // The longest of each version, by all masks, and every other by one.
    const versionOf = (line: string) => (qrCode(line, 0).length - 17) / 4
    const longest = [...new Map(lines.map((line) => [versionOf(line), line])).entries()]
    expect(longest.map(([version]) => version)).to.deep.equal([
      5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ])
    const all = [
      ...lines.map((line, i) => ({ line, mask: i % 8 })),
      ...longest.flatMap(([, line]) => [0, 1, 2, 3, 4, 5, 6, 7].map((mask) => ({ line, mask }))),
    ]
    expect(scanned(all.map(({ line, mask }) => drawn(line, DARK, mask)))).to.deep.equal(all.map(({ line }) => line))
  }).timeout(60_000)

  for (const [name, theme] of Object.entries(THEMES))
    it(`is read from a terminal ${name}`, () => {
      const lines = [0, 1, 2, 5, 12, 20, 28, 36].map((many) => lineOf(resources(many)))
      expect(scanned(lines.map((line) => drawn(line, theme)))).to.deep.equal(lines)
    })

  it('is what posternd enroll --qr prints, above the same line', () => {
    for (const many of [1, 6]) {
      const { code, qr, line } = enrolled(many)
      expect(code).to.equal(0)
      expect(scanned([pictureOf(qr, DARK)])).to.deep.equal([line])
      expect(decodeEnrolment(line)).to.have.property('realm', 'gate.example.org')
    }
  })

  it('is left out, with a word, where a line is too long for it', () => {
    const { code, qr, line, stderr } = enrolled(70)
    expect(code).to.equal(0)
    expect(qr).to.deep.equal([])
    expect(decodeEnrolment(line)).to.have.property('realm', 'gate.example.org')
    expect(stderr).to.match(/no QR code: the line has \d+ characters, and a code holds 858/)
  })

  it('is left out, with a word, where the terminal is too narrow, and is there where it is just wide enough', async () => {
    const file = configured(1)
    const enroll = `${join(ROOT, 'bin/posternd')} enroll alice --again --qr --config ${file}`
    const narrow = onTerminal(['sh', '-c', `stty cols 40 rows 24; exec ${enroll}`], {})
    expect(await narrow.ended()).to.equal(0)
    expect(narrow.shown).to.match(
      /no QR code: it takes 5\d columns, and this terminal has 40: make it wider, then posternd enroll alice --again --qr/,
    )
    const line = /postern1:\S+/.exec(narrow.shown)![0]
    expect(decodeEnrolment(line)).not.to.have.property('why')
    const wide = onTerminal(['sh', '-c', `stty cols ${qrCode(line).length + 8} rows 24; exec ${enroll}`], {})
    expect(await wide.ended()).to.equal(0)
    const shown = wide.shown.split(/\r?\n/)
    expect(scanned([pictureOf(shown.filter(isOfCode), DARK)])).to.deep.equal([line])
  })

  function configured(many: number): string {
    const file = join(folder, 'posternd.conf')
    const ports = Array.from({ length: many }, (_, i) => `${String(i + 1).padStart(8, '0')} = port: ${2000 + i}`)
    writeFileSync(file, `${FILE}${ports.join('\n')}\n`, { mode: 0o600 })
    return file
  }

  function enrolled(many: number) {
    const words = ['enroll', 'alice', '--again', '--qr', '--config', configured(many)]
    const { status, stdout, stderr } = spawnSync(join(ROOT, 'bin/posternd'), words, { encoding: 'utf8' })
    const lines = stdout.trimEnd().split('\n')
    return { code: status, qr: lines.filter(isOfCode), line: lines.at(-1)!, stderr }
  }
})

function isOfCode(line: string): boolean {
  return line.startsWith('\u001b[')
}

function resources(count: number): EnrolledResource[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    ports: [{ first: 2000 + i, last: 2000 + i }],
    protocols: ['tcp'],
    instant: false,
    timeoutSeconds: 600,
    connections: 0,
  }))
}

function lineOf(some: readonly EnrolledResource[]): string {
  return encodeEnrolment({
    host: 'g',
    port: 5800,
    alsoLetmein: false,
    realm: 'gate',
    user: 1,
    key: Buffer.from(KEY, 'hex'),
    resources: some,
  })
}
