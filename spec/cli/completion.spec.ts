import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { completionScript, SHELLS, type Shell } from '../../lib/cli/completion/command.js'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'
import { poll } from '../support/poll.js'
import { bundle, CONFIG, Home, KEY } from './program.js'

const PROMPT = 'type here: '
const SAID = /ran<(.*?)>/

/** How each shell starts without anybody's own settings, and with the programs' names as functions that say what they were given. */
const STARTS: Readonly<Record<Shell, { argv: (file: string) => string[]; setUp: (scripts: string[]) => string[] }>> = {
  bash: {
    argv: (file) => ['bash', '--rcfile', file, '-i'],
    setUp: (scripts) => [...says('"$*"'), "bind 'set enable-bracketed-paste off'", ...scripts, `PS1='${PROMPT}'`],
  },
  zsh: {
    argv: (file) => ['env', `ZDOTDIR=${file}.d`, 'zsh', '-d', '-i'],
    setUp: (scripts) => ['autoload -Uz compinit', 'compinit -u -D', ...says('"$*"'), ...scripts, `PS1='${PROMPT}'`],
  },
  fish: {
    argv: (file) => ['fish', '--no-config', '--init-command', `'source ${file}'`, '-i'],
    setUp: (scripts) => [
      ...['postern', 'posternd'].map((name) => `function ${name}; printf 'ran<%s>\\n' "$argv"; end`),
      ...scripts,
      `function fish_prompt; printf '${PROMPT}'; end`,
    ],
  },
}

function says(what: string): string[] {
  return ['postern', 'posternd'].map((name) => `${name}() { printf 'ran<%s>\\n' ${what}; }`)
}

/** A shell at a terminal of its own. */
class Typist {
  readonly #shell: ChildProcess
  #seen = ''

  constructor(shell: Shell, home: Home, folder: string) {
    const scripts = [postern, posternd].map((program) => {
      const path = join(folder, `${program.name}.${shell}`)
      writeFileSync(path, completionScript(shell, program.name, allCommands(program)))
      return `source ${path}`
    })
    const file = join(folder, `start.${shell}`)
    const lines = STARTS[shell].setUp(scripts).join('\n')
    writeFileSync(file, lines)
    mkdirSync(`${file}.d`)
    writeFileSync(join(`${file}.d`, '.zshrc'), lines)
    const { PATH } = process.env
    this.#shell = spawn(
      'script',
      ['--quiet', '--flush', '--command', STARTS[shell].argv(file).join(' '), '/dev/null'],
      {
        cwd: folder,
        env: { PATH, HOME: home.folder, TERM: 'dumb', SHELL: '/bin/sh', LC_ALL: 'C.UTF-8' },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    this.#shell.stdout!.on('data', (text) => {
      this.#seen += text
    })
  }

  /** What the program was called with after this was typed: the words of the completed line. */
  async type(line: string): Promise<string> {
    await poll(
      () => `a prompt behind ${JSON.stringify(this.#seen)}`,
      () => this.#seen.includes(PROMPT),
    )
    this.#seen = ''
    this.#shell.stdin!.write(`${line}\n`)
    const [, words] = await poll(
      () => `an answer in ${JSON.stringify(this.#seen)}`,
      () => SAID.exec(this.#seen),
    )
    return words!.trim()
  }

  async end(): Promise<void> {
    this.#shell.stdin!.end('exit\n')
    if (this.#shell.exitCode === null) await once(this.#shell, 'exit')
  }
}

for (const shell of SHELLS)
  describe(`in ${shell} the tabulator`, () => {
    let home: Home
    let typist: Typist
    before(() => {
      bundle()
      home = new Home(`${CONFIG}\n[HOST far.example.org]\nresource 00000033 = port: 5432 / name: base / timeout: 60\n`)
      mkdirSync(join(home.folder, '.ssh'))
      home.write('.ssh/config', 'Host gate-of-mine *.wild\n  HostName 192.0.2.1\n')
      mkdirSync(join(home.folder, 'here'))
      writeFileSync(join(home.folder, 'here/some.key'), '')
      typist = new Typist(shell, home, join(home.folder, 'here'))
    })
    after(async () => {
      await typist.end()
      home.remove()
    })

    for (const [line, completed] of [
      ['postern kno\t', 'knock'],
      ['posternd chec\t', 'check'],
      ['postern compl\tfis\t', 'completion fish'],
      ['postern knock --lifet\t5', 'knock --lifetime 5'],
      ['postern knock gate-of\t', 'knock gate-of-mine'],
      ['postern knock --protocol letm\tx', 'knock --protocol letmein x'],
      ['postern knock -q --tries 3 gate 5\t', 'knock -q --tries 3 gate 5'],
      ['postern knock gate 2\t', 'knock gate 22'],
      ['postern knock far\t', 'knock far.example.org'],
      ['postern knock far.example.org ba\t', 'knock far.example.org base'],
      ['postern knock far.example.org 543\t', 'knock far.example.org 5432'],
      ['postern knock -u 0000000\t', 'knock -u 00000001'],
      ['postern knock -k so\t', 'knock -k some.key'],
    ] as const)
      it(`makes ${JSON.stringify(completed)} of ${JSON.stringify(line)}`, async () => {
        expect((await typist.type(line)).replace('lifetime=', 'lifetime ').replace(/ +/g, ' ')).to.equal(completed)
      })
  })

describe('a completion script', () => {
  for (const shell of SHELLS)
    it(`for ${shell} is what the program prints, knows each option, and holds no key of this home`, async () => {
      const home = new Home(CONFIG)
      const { code, out } = await home.postern(['completion', shell])
      expect(code).to.equal(0)
      expect(out).to.equal(completionScript(shell, 'postern', allCommands(postern)))
      for (const { options } of allCommands(postern)) for (const { name } of options) expect(out).to.include(name)
      expect(out).not.to.include(KEY)
      execFileSync(shell, ['-n', home.write('script', out)])
      home.remove()
    })

  it('carries out nothing that stands where a host is looked for', () => {
    const home = new Home()
    const trap = join(home.folder, 'sprung')
    mkdirSync(join(home.folder, '.ssh'))
    home.write('.ssh/known_hosts', `$(touch\${IFS}${trap}) ssh-ed25519 AAAA\ngate.example.org ssh-ed25519 AAAA\n`)
    home.write('.ssh/config', `Host \`touch\${IFS}${trap}\` gate-of-mine *.wild !none\n`)
    home.write('postern.bash', completionScript('bash', 'postern', allCommands(postern)))
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's own
    const line = 'source ~/postern.bash; COMP_WORDS=(postern knock g); COMP_CWORD=2; _postern; echo "${COMPREPLY[@]}"'
    const offered = execFileSync('bash', ['-c', line], { env: { PATH: process.env['PATH'], HOME: home.folder } })
    expect(`${offered}`).to.equal('gate-of-mine gate.example.org\n')
    expect(existsSync(trap)).to.equal(false)
    home.remove()
  })

  for (const [shell, tab] of [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's own
    ['bash', 'COMP_WORDS=(posternd remove ""); COMP_CWORD=2; _posternd; printf "%s\\n" "${COMPREPLY[@]}"'],
    ['zsh', '_posternd_user'],
    ['fish', 'complete -C "posternd remove "'],
  ] as const)
    it(`offers in ${shell} the server’s users by name, and by id who has none`, () => {
      const home = new Home()
      const users = [
        '# who: name: nobody',
        '00000001 = name: alice / until: 2030-01-01T00:00:00Z',
        '00000004 = removed: 2026-01-01T00:00:00Z / name: dave',
        '3 = from: 192.0.2.0/24 /',
        '    name: carol',
        '0 = name: root',
      ].join('\n')
      const keys = ['# 00000009 = sample', ...['0', '1', '0000002A', '00000003'].map((id) => `${id} = ${KEY}`)].join(
        '\n',
      )
      const more = `[OLD KEYS]\n00000005 = ${KEY}\n[RESOURCES]\n00000022 = port: 22 / name: ssh`
      for (const [place, sections] of [
        ['before', `[USERS]\n${users}\n\n[KEYS]\n${keys}`],
        ['behind', `[KEYS]\n${keys}\n[USERS]\n${users}`],
      ]) {
        const file = home.write('posternd.conf', `${sections}\n${more}\n`)
        const script = completionScript(shell, 'posternd', allCommands(posternd))
        const here = home.write('script', script.replaceAll('/etc/postern/posternd.conf', file))
        const ready = shell === 'zsh' ? 'compdef() {}; compadd() { print -l $found; };' : ''
        const env = { PATH: process.env['PATH'], HOME: home.folder }
        const offered = execFileSync(shell, ['-c', `${ready} source ${here}; ${tab}`], { env, encoding: 'utf8' })
        expect(offered.trim().split('\n').toSorted(), `[USERS] ${place} [KEYS]`).to.deep.equal([
          '0000002A',
          'alice',
          'carol',
          'root',
        ])
      }
      home.remove()
    })

  it('is for a shell that is known', async () => {
    const home = new Home()
    for (const words of [['completion'], ['completion', 'tcsh'], ['completion', 'bash', 'zsh']]) {
      const { code, err } = await home.postern(words)
      expect(code).to.equal(2)
      expect(err).to.include('expected one of bash, zsh, fish')
    }
    home.remove()
  })
})
