/** The completion script for bash. It needs nothing but bash 4 itself. Pure. */
import { lookupScript } from './lookup.js'
import { type CompletedCommand, type Kind, LOOKUPS } from './vocabulary.js'

/** The whole script. Two tables (what follows an option, what stands at a place) and one function that walks the line. */
export function bashScript(program: string, commands: readonly CompletedCommand[]): string {
  const name = `_${program}`
  return `# bash completion for ${program}, as \`${program} completion bash\` prints it.

# What kind of word follows option $2 of command $1: into kind; nothing for a flag.
${name}_value() {
  case "$1 $2" in
${commands.flatMap(valueCases).join('\n')}
  *) kind= ;;
  esac
}

# What kind of word is argument number $2 (from 0) of command $1.
${name}_place() {
  case "$1 $2" in
${commands.flatMap(placeCases).join('\n')}
  *) kind= ;;
  esac
}

${name}_options() {
  case $1 in
${commands.map((command) => `  ${command.name}) REPLY=${quoted(longWords(command).join(' '))} ;;`).join('\n')}
  *) REPLY='--help --version' ;;
  esac
}

# Offers words of kind $1 that begin with $2.
${name}_offer() {
  local IFS=$'\\n'
  case $1 in
  file) compopt -o filenames && COMPREPLY=($(compgen -f -- "$2")) ;;
  folder) compopt -o filenames && COMPREPLY=($(compgen -d -- "$2")) ;;
${LOOKUPS.map((kind) => `  ${kind}) COMPREPLY=($(compgen -W "$(sh -c ${quoted(lookupScript(program, kind))})" -- "$2")) ;;`).join('\n')}
  =*) IFS='|' && COMPREPLY=($(compgen -W "\${1#=}" -- "$2")) && IFS=$'\\n' ;;
  esac
}

${name}() {
  local word kind command= place=0 i current=\${COMP_WORDS[COMP_CWORD]} pending= REPLY
  COMPREPLY=()
  # bash makes three words of --option=value.
  [[ $current == = ]] && current=
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      continue
    elif [[ -n $pending ]]; then
      pending=
    elif [[ $word == -* ]]; then
      ${name}_value "$command" "$word"
      pending=$kind
    elif [[ -z $command ]]; then
      command=$word
    else
      place=$((place + 1))
    fi
  done
  if [[ -n $pending ]]; then
    ${name}_offer "$pending" "$current"
  elif [[ $current == -* ]]; then
    ${name}_options "$command"
    COMPREPLY=($(compgen -W "$REPLY" -- "$current"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map((command) => command.name).join(' '))} -- "$current"))
  else
    ${name}_place "$command" "$place"
    ${name}_offer "$kind" "$current"
  fi
}
complete -F ${name} ${program}
`
}

function valueCases({ name, options }: CompletedCommand): string[] {
  return options.flatMap(({ words, value }) => {
    if (value === undefined) return []
    return [`  ${words.map((word) => quoted(`${name} ${word}`)).join(' | ')}) kind=${word(value.kind)} ;;`]
  })
}

function placeCases({ name, positionals }: CompletedCommand): string[] {
  return positionals.map(({ kind, repeats }, place) => {
    const pattern = repeats ? `${quoted(`${name} `)}*` : quoted(`${name} ${place}`)
    return `  ${pattern}) kind=${word(kind)} ;;`
  })
}

function longWords({ options }: CompletedCommand): string[] {
  return options.map(({ words }) => words[0]!)
}

/** A kind as one word of the script; a few words become `=one|two`. */
function word(kind: Kind): string {
  return quoted(typeof kind === 'string' ? kind : `=${kind.join('|')}`)
}

/** One word for any POSIX shell, and for zsh. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
