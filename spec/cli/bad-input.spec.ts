/**
 * Every command of both programs with every argument missing, doubled, wrong or too many: exit 2, one line that says what was expected, and
 * one right line. It never gets as far as the network, a daemon or a file that could be changed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Option } from '../../lib/cli/options.js'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands, type Program, runProgram } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'
import { CONFIG, KEY } from './program.js'

const SERVER = `[SPA]
realm = gate
[KEYS]
00000001 = ${KEY}
[USERS]
00000001 = name: alice
[RESOURCES]
00000022 = port: 22 / name: ssh
`

/** What is right beside what is wrong: a command that needs nothing is not here. */
const RIGHT: Readonly<Record<string, readonly string[]>> = {
  'postern knock': ['gate', '22'],
  'postern connect': ['gate', '22'],
  'postern keepalive': ['gate', '22'],
  'postern revoke': ['gate', '22'],
  'postern doctor': ['gate', '22'],
  'postern probe': ['gate', '22'],
  'postern ssh-config': ['gate'],
  'postern import': ['letmein'],
  'postern completion': ['bash'],
  'posternd enroll': ['bob'],
  'posternd rotate': ['alice'],
  'posternd remove': ['alice'],
  'posternd open': ['ssh', '192.0.2.7'],
  'posternd revoke': ['ssh', '192.0.2.7'],
  'posternd trial': ['5m'],
  'posternd import': ['letmein'],
  'posternd completion': ['bash'],
}

/** Positionals that are wrong, each with what the message has to name. */
const WRONG: readonly (readonly [string, string])[] = [
  ['postern knock', 'HOST is missing'],
  ['postern knock gate', 'PORT is missing'],
  ['postern knock gate 0', '"0"'],
  ['postern knock gate 65536', '"65536"'],
  ['postern knock a/b 22', '"a/b"'],
  ['postern connect', 'HOST is missing'],
  ['postern connect gate', 'PORT is missing'],
  ['postern connect gate 22 23', '2 ports'],
  ['postern keepalive', 'HOST is missing'],
  ['postern revoke', 'HOST is missing'],
  ['postern revoke gate', 'PORT is missing'],
  ['postern doctor', 'HOST is missing'],
  ['postern doctor gate 0', '"0"'],
  ['postern probe', 'HOST'],
  ['postern probe gate x/y', '"x/y"'],
  ['postern knock gate 22 ssh 22', '"22" is here twice'],
  ['postern connect gate 22 22', '"22" is here twice'],
  ['postern keepalive gate ssh ssh', '"ssh" is here twice'],
  ['postern probe gate 22 80 22', '"22" is here twice'],
  ['postern ssh-config', 'HOST'],
  ['postern ssh-config gate other', '"other"'],
  ['postern add line', 'standard input'],
  ['postern gen-key more', 'gen-key'],
  ['postern import', 'import'],
  ['postern import knockd', '"knockd"'],
  ['postern import letmein a b', '"b"'],
  ['postern completion', 'SHELL'],
  ['postern completion tcsh', '"tcsh"'],
  ['posternd init 22', '"22"'],
  ['posternd check it', '"it"'],
  ['posternd status it', '"it"'],
  ['posternd log alice', '"alice"'],
  ['posternd doctor gate', '"gate"'],
  ['posternd metrics it', '"it"'],
  ['posternd enroll', 'USER is missing'],
  ['posternd enroll bob carol', '"carol"'],
  ['posternd enroll b=b', '"b=b"'],
  ['posternd enroll alice', 'alice'],
  ['posternd rotate', 'USER is missing'],
  ['posternd rotate bob', 'bob'],
  ['posternd rotate alice bob', '"bob"'],
  ['posternd remove', 'USER is missing'],
  ['posternd remove bob', '"bob"'],
  ['posternd open', 'RESOURCE is missing: expected posternd open RESOURCE ADDRESS; RESOURCE is one of ssh'],
  ['posternd open ssh', 'ADDRESS is missing: expected posternd open ssh 192.0.2.7'],
  ['posternd open ssg 192.0.2.7', '(it has ssh); did you mean "ssh"?'],
  ['posternd open ssh gate', '"gate"'],
  ['posternd open ssh 192.0.2.7 192.0.2.8', '"192.0.2.8"'],
  ['posternd revoke', 'RESOURCE is missing'],
  ['posternd revoke ssh 1.2.3', '"1.2.3"'],
  ['posternd trial', 'TIME'],
  ['posternd trial soon', '"soon"'],
  ['posternd trial 1s', '"1s"'],
  ['posternd trial 5m more', '"more"'],
  ['posternd confirm it', '"it"'],
  ['posternd up it', '"it"'],
  ['posternd down it', '"it"'],
  ['posternd trust-clock it', '"it"'],
  ['posternd import', 'import'],
  ['posternd import knockd', '"knockd"'],
]

/** Values that an option does not take; of those that take any text the empty one. */
const WRONG_VALUES: Readonly<Record<string, readonly string[]>> = {
  address: ['gate', '0.0.0.0'],
  every: ['0', 'soon'],
  last: ['x', '-1'],
  lifetime: ['0', 'soon', '4294967296'],
  listen: ['0', 'soon', '2h'],
  output: [''],
  overlap: ['soon', '-1'],
  port: ['0', '65536', 'ssh'],
  protocol: ['knockd', ''],
  resource: ['ssh', '123456789'],
  // Of fwknop's packet, whose part of the program is loaded apart: spec/cli/refusals.spec.ts.
  'source-port': [],
  'time-offset': [],
  tries: ['0', '101', 'x'],
  timeout: ['0', 'soon'],
  'knock-port': ['0', 'x'],
  protect: ['ssh', '0', '22,22'],
  config: [''],
  user: [''],
  host: ['a b', ''],
}
/** Where the same name has another meaning. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'postern knock user': ['me', '123456789', ''],
  'postern revoke user': ['me', ''],
  'postern gen-key user': ['me', ''],
  'posternd init user': ['a b'],
  'postern connect wait': ['0', 'soon'],
  'posternd doctor user': ['bob', ''],
  // Asked of a daemon that is not there.
  'posternd log user': [''],
  'posternd trial address': ['gate'],
}
/** Said only together with another. */
const WITH: Readonly<Record<string, readonly string[]>> = {
  timeout: ['--wait'],
}

describe('whatever is wrong with a command line', () => {
  let folder: string
  let places: Readonly<Record<string, string>>
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-bad-'))
    writeFileSync(join(folder, 'posternd.conf'), SERVER, { mode: 0o600 })
    writeFileSync(join(folder, 'postern.conf'), CONFIG, { mode: 0o600 })
    writeFileSync(join(folder, '.fwknoprc'), '[gate]\nSPA_SERVER gate\nKEY x\nHMAC_KEY y\n', { mode: 0o600 })
    places = {
      'posternd config': join(folder, 'posternd.conf'),
      'postern config': join(folder, 'postern.conf'),
      'posternd run-dir': join(folder, 'none'),
      'posternd state-dir': join(folder, 'none'),
      'posternd root': folder,
    }
  })
  after(() => {
    expect(readFileSync(join(folder, 'posternd.conf'), 'utf8')).to.equal(SERVER)
    expect(readFileSync(join(folder, 'postern.conf'), 'utf8')).to.equal(CONFIG)
    rmSync(folder, { recursive: true })
  })

  async function refused(program: Program, words: readonly string[], names: string) {
    const said: string[] = []
    const shown: string[] = []
    const printer = { line: (text: string) => void shown.push(text), error: (text: string) => void said.push(text) }
    const command = allCommands(program).find(({ name }) => name === words[0])
    const more = (command?.options ?? [])
      .filter(({ name }) => places[`${program.name} ${name}`] !== undefined && !words.includes(`--${name}`))
      .flatMap(({ name }) => [`--${name}`, places[`${program.name} ${name}`]!])
    const outside = { nowMs: Date.now, random: (bytes: number) => new Uint8Array(bytes) } as never
    const world = { env: { HOME: folder }, printer, outside }
    const code = await runProgram(program, [...words, ...more], world)
    const text = said.join('\n')
    expect(code, text + shown.join()).to.equal(2)
    expect(text.split('\n'), text).to.have.length(1)
    expect(text).to.match(
      /expected|is no option|has no such user|has none of|has no user|no key of his|has a key|is missing/,
    )
    expect(text).to.include(names)
    expect(text, 'a right line').to.match(/(for example: .*|: |expected )posternd? [a-z]/)
    expect(text).not.to.match(/undefined|NaN|\[object|at .*\.[jt]s:/)
  }

  const programs = { postern, posternd }
  for (const [line, names] of WRONG)
    it(`is told: ${line}`, () => {
      const [program, ...words] = line.split(' ')
      return refused(programs[program as keyof typeof programs], words, names)
    })

  for (const program of [postern, posternd])
    for (const command of allCommands(program)) {
      const { name, options } = command
      // The starter's: spec/e2e/bad-input.spec.ts.
      if (name === 'run') continue
      const right = RIGHT[`${program.name} ${name}`] ?? []
      for (const option of options)
        for (const words of wrongWords(`${program.name} ${name}`, option))
          it(`is told: ${program.name} ${[name, ...right, ...words].map((word) => word || "''").join(' ')}`, () =>
            refused(program, [name, ...right, ...words], `${option.name}`))
    }
})

function wrongWords(command: string, { name, value, choices }: Option): (readonly string[])[] {
  const option = `--${name}`
  // --json itself is answered in JSON.
  if (value === undefined) return name === 'json' ? [[`${option}=5`]] : [[`${option}=5`], [option, option]]
  const values = ELSEWHERE[`${command} ${name}`] ?? WRONG_VALUES[name] ?? (choices === undefined ? [] : ['nonsense'])
  return [[option], [option, 'x', option, 'y'], ...values.map((one) => [...(WITH[name] ?? []), option, one])]
}
