import { expect } from 'chai'
import { posternd } from '../../lib/cli/posternd-words.js'
import { allCommands, type Program, runProgram } from '../../lib/cli/program.js'
import { postern } from '../../lib/cli/words.js'

/** What a program says on standard error, and its exit code. It must not get as far as the world outside. */
async function answerTo(program: Program, words: readonly string[]): Promise<{ code: number; said: string }> {
  const said: string[] = []
  const printer = { line: () => {}, error: (text: string) => void said.push(text) }
  const code = await runProgram(program, words, { env: { HOME: '/nonexistent' }, printer, outside: {} as never })
  return { code, said: said.join('\n') }
}

for (const program of [postern, posternd]) {
  describe(`${program.name} shows one right line`, () => {
    for (const command of allCommands(program)) {
      const { name, options, positionals } = command
      // Its words are the starter's: spec/e2e/bad-input.spec.ts.
      if (name === 'run') continue
      const valued = options.find(({ value }) => value !== undefined)?.name
      // So that a refusal that is missing harms nothing.
      const nowhere = ['config', 'run-dir', 'state-dir']
        .filter((place) => options.some((option) => option.name === place))
        .flatMap((place) => [`--${place}`, '/nonexistent'])
      const wrong: readonly (readonly string[])[] = [
        [name, '--nonsense'],
        ...(valued === undefined
          ? []
          : [
              [name, `--${valued}`],
              [name, `--${valued}`, 'x', `--${valued}`, 'y'],
            ]),
        ...(positionals === '' ? [[name, 'a', 'b', ...nowhere]] : []),
      ]
      for (const words of wrong)
        it(`where it is called as: ${words.join(' ')}`, async () => {
          const { code, said } = await answerTo(program, words)
          expect({ code, said }).to.have.property('code', 2)
          expect(said).to.match(/expected|is no option/)
          expect(said).to.match(/(for example: .*|: )posternd? [a-z]/)
          expect(said).to.match(/--help/)
        })
    }

    for (const [words, says] of [
      [[], `no command: expected ${program.commands[0]?.name}, `],
      [['nonsense'], '"nonsense" is no command: expected '],
      [['--nonsense'], '--nonsense without a command: expected one of '],
    ] as const)
      it(`where it is called as: ${program.name} ${words.join(' ')}`, async () => {
        const { code, said } = await answerTo(program, words)
        expect(code).to.equal(2)
        expect(said).to.include(`${program.name}: ${says}`)
        expect(said).to.include(`(${program.name} --help; for example: ${program.commands[0]?.examples[0]?.[0]})`)
      })
  })
}

it('a file of figures that cannot be written is named, with what was expected', async () => {
  const { code, said } = await answerTo(posternd, [
    'metrics',
    '--run-dir',
    '/nonexistent',
    '--output',
    '/nonexistent/x.prom',
  ])
  expect(code).to.equal(1)
  expect(said).to.equal(
    'posternd: --output "/nonexistent/x.prom": cannot be written (ENOENT): expected a file in a folder that is there and that you may write',
  )
})

it('a wrong number is told before a daemon is asked for', async () => {
  const { code, said } = await answerTo(posternd, ['log', '--run-dir', '/nonexistent', '--last', 'x'])
  expect(code).to.equal(2)
  expect(said).to.include('--last "x": expected a number, 0–')
})

it('a state that forbids a command is not followed by the same line as an example', async () => {
  const { said } = await answerTo(posternd, ['confirm', '--state-dir', '/nonexistent'])
  expect(said).to.equal('posternd: no trial is on: posternd trial 5m begins one (posternd confirm --help)')
})
