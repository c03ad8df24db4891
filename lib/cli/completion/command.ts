/** `postern completion`, `posternd completion`: the script that lets a shell complete the program's command lines. */
import { quote } from '../../config/error.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import { UsageError } from '../usage.js'
import { bashScript } from './bash.js'
import { fishScript } from './fish.js'
import { type CompletedCommand, completed } from './vocabulary.js'
import { zshScript } from './zsh.js'

export type Shell = keyof typeof SCRIPTS
const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }
export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[]

/** The script of one shell for a program of these commands. */
export function completionScript(shell: Shell, program: string, commands: readonly Command[]): string {
  const all: CompletedCommand[] = commands.map(completed)
  return SCRIPTS[shell](program, all)
}

/** The command for a program of these commands, and itself. */
export function completionOf(program: string, commands: readonly Command[]): Command {
  const folders = { bash: '~/.local/share/bash-completion/completions', fish: '~/.config/fish/completions' }
  const command: Command = {
    name: 'completion',
    positionals: 'bash|zsh|fish',
    describe: 'print the script by which a shell completes command lines of this program',
    options: [],
    examples: [
      [`${program} completion bash >${folders.bash}/${program}`, 'for bash, from the next shell on'],
      [`${program} completion fish >${folders.fish}/${program}.fish`, ''],
      [`source <(${program} completion zsh)`, 'in ~/.zshrc, behind compinit'],
    ],
    run: async ({ positionals: [shell = '', ...more] }, { printer }) => {
      const known = SHELLS.find((one) => one === shell)
      if (known === undefined || more.length > 0)
        throw new UsageError(
          `${shell === '' ? 'SHELL is missing' : quote([shell, ...more].join(' '))}: expected one of ${SHELLS.join(', ')}`,
        )
      printer.line(completionScript(known, program, [...commands, command]).trimEnd())
      return EXIT.ok
    },
  }
  return command
}
