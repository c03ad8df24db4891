/** The completion script for zsh, in the form of its `_arguments`. Pure. */
import { quoted } from './bash.js'
import { lookupScript } from './lookup.js'
import { type CompletedCommand, type CompletedOption, type Kind, LOOKUPS } from './vocabulary.js'

/** The whole script: as a file `_PROGRAM` in a folder of $fpath, or sourced. */
export function zshScript(program: string, commands: readonly CompletedCommand[]): string {
  const name = `_${program}`
  return `#compdef ${program}
# zsh completion for ${program}, as \`${program} completion zsh\` prints it.

# Offers what a line of shell prints.
${name}_found() {
  local -a found
  found=(\${(f)"$(sh -c "$1")"})
  (( $#found )) && compadd -a found
}

${LOOKUPS.map((kind) => `${name}_${kind}() { ${kind === 'host' ? '_hosts; ' : ''}${name}_found ${quoted(lookupScript(program, kind))} }`).join('\n')}

${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map((command) => `    ${quoted(`${command.name}:${command.describe}`)}`).join('\n')}
  )
  _arguments -C '(- *)'{-h,--help}'[show help]' '(- *)--version[show the version]' '1: :->command' '*:: :->rest'
  case $state in
  command) _describe command commands ;;
  rest)
    case $line[1] in
${commands.map((command) => commandCase(program, command)).join('\n')}
    esac
    ;;
  esac
}

if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`
}

function commandCase(program: string, { name, options, positionals }: CompletedCommand): string {
  const words = [
    ...options.map((option) => optionWord(program, option)),
    ...positionals.map(({ name: shown, kind, repeats }, index) =>
      quoted(`${repeats ? '*' : index + 1}:${shown}:${action(program, kind)}`),
    ),
  ]
  return `    ${name})\n      _arguments -s \\\n        ${words.join(' \\\n        ')}\n      ;;`
}

function optionWord(program: string, { words, describe, value }: CompletedOption): string {
  const [long, short] = words
  const behind = `[${describe.replace(/[[\]\\]/g, '\\$&')}]${value === undefined ? '' : `:${value.name}:${action(program, value.kind)}`}`
  if (short === undefined) return quoted(`${long}${value === undefined ? '' : '='}${behind}`)
  const equals = value === undefined ? '' : '='
  return `${quoted(`(${words.join(' ')})`)}{${short}${equals && '+'},${long}${equals}}${quoted(behind)}`
}

function action(program: string, kind: Kind): string {
  if (typeof kind !== 'string') return `(${kind.join(' ')})`
  if (kind === 'text') return ''
  if (kind === 'file') return '_files'
  if (kind === 'folder') return '_files -/'
  return `_${program}_${kind}`
}
