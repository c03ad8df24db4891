/** The completion script for fish. Pure. */
import { lookupScript } from './lookup.js'
import { type CompletedCommand, type CompletedOption, type Kind, LOOKUPS, type Lookup } from './vocabulary.js'

/** The whole script. */
export function fishScript(program: string, commands: readonly CompletedCommand[]): string {
  const place = `__${program}_at`
  return `# fish completion for ${program}, as \`${program} completion fish\` prints it.

# Whether the word to complete is argument number $argv[2..] (from 0, or "N-": from N on) of command $argv[1]; "-": anywhere in it.
function ${place}
    set -l command
    set -l number 0
    set -l pending 0
    for word in (commandline -opc)[2..-1]
        if test $pending = 1
            set pending 0
        else if string match -q -- '-*' $word
            contains -- "$command $word" ${commands.flatMap(valuedWords).map(fishQuoted).join(' ')}; and set pending 1
        else if test -z "$command"
            set command $word
        else
            set number (math $number + 1)
        end
    end
    test "$command" = "$argv[1]"; or return 1
    switch $argv[2]
        case -
            return 0
        case '*-'
            test $number -ge (string trim -rc - $argv[2])
        case '*'
            test $number = $argv[2]
    end
end

${LOOKUPS.map((kind) => foundBy(program, kind)).join('\n')}

complete -c ${program} -f
complete -c ${program} -n "${place} '' -" -s h -l help -d 'show help'
complete -c ${program} -n "${place} '' -" -l version -d 'show the version'
${commands.map((command) => `complete -c ${program} -n "${place} '' -" -a ${command.name} -d ${fishQuoted(command.describe)}`).join('\n')}

${commands.map((command) => commandLines(program, place, command).join('\n')).join('\n\n')}
`
}

function valuedWords({ name, options }: CompletedCommand): string[] {
  return options.flatMap(({ words, value }) => (value === undefined ? [] : words.map((word) => `${name} ${word}`)))
}

function commandLines(program: string, place: string, { name, options, positionals }: CompletedCommand): string[] {
  return [
    ...positionals.flatMap(({ kind, repeats }, index) => {
      const offered = offer(program, kind)
      const where = `"${place} ${name} ${index}${repeats ? '-' : ''}"`
      return offered === '' ? [] : [`complete -c ${program} -n ${where} ${offered}`]
    }),
    ...options.map((option) => optionLine(program, `"${place} ${name} -"`, option)),
  ]
}

function optionLine(program: string, where: string, { words, describe, value }: CompletedOption): string {
  const [long, short] = words
  const letter = short === undefined ? '' : ` -s ${short.slice(1)}`
  const behind =
    value === undefined ? '' : ` ${value.kind === 'file' ? '-r' : '-x'} ${offer(program, value.kind)}`.trimEnd()
  return `complete -c ${program} -n ${where} -l ${long!.slice(2)}${letter}${behind} -d ${fishQuoted(describe)}`
}

function offer(program: string, kind: Kind): string {
  if (typeof kind !== 'string') return `-a ${fishQuoted(kind.join(' '))}`
  if (kind === 'text') return ''
  if (kind === 'file') return '-F'
  if (kind === 'folder') return `-a '(__fish_complete_directories)'`
  return `-a '(__${program}_${kind})'`
}

function foundBy(program: string, kind: Lookup): string {
  const lines = [
    ...(kind === 'host' ? ['__fish_print_hostnames'] : []),
    `sh -c ${fishQuoted(lookupScript(program, kind))}`,
  ]
  return `function __${program}_${kind}\n${lines.map((line) => `    ${line}`).join('\n')}\nend`
}

/** One word for fish: within single quotes only the quote and the backslash are special. */
function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
