/**
 * What a shell can complete of a program: its commands with their options and arguments, each with the kind of word that
 * stands there. Made of the same descriptions as the help. Pure.
 */
import type { Command } from '../command.js'
import type { Option } from '../options.js'

/** What kind of word is expected: any text, a path, something that is looked up (lookup.ts), or one of a few. */
export type Kind = 'text' | 'file' | 'folder' | Lookup | readonly string[]
export const LOOKUPS = ['host', 'port', 'resource', 'user'] as const
export type Lookup = (typeof LOOKUPS)[number]

export interface CompletedOption {
  /** `--user`, `-u`. */
  readonly words: readonly string[]
  readonly describe: string
  /** Of its value, with its name in the help; undefined: a flag. */
  readonly value?: { readonly name: string; readonly kind: Kind }
}

export interface CompletedCommand {
  readonly name: string
  readonly describe: string
  readonly options: readonly CompletedOption[]
  /** In order. */
  readonly positionals: readonly { readonly name: string; readonly kind: Kind; readonly repeats: boolean }[]
}

const HELP: CompletedOption = { words: ['--help', '-h'], describe: 'show help' }

/** The kind of word behind a name as the help shows it. */
const KINDS: Readonly<Record<string, Kind>> = {
  HOST: 'host',
  PORT: 'port',
  RESOURCE: 'resource',
  USER: 'user',
  FILE: 'file',
  DIR: 'folder',
  FOLDER: 'folder',
}
/** Options whose value has a name that says less than their own. */
const KINDS_BY_OPTION: Readonly<Record<string, Kind>> = { user: 'user', resource: 'resource' }

/** A command as a shell completes it. */
export function completed({ name, describe, options, positionals }: Command): CompletedCommand {
  return { name, describe, options: [...options.map(completedOption), HELP], positionals: positionalsOf(positionals) }
}

function completedOption({ name, alias, value, describe, choices }: Option): CompletedOption {
  const words = [`--${name}`, ...(alias === undefined ? [] : [`-${alias}`])]
  if (value === undefined) return { words, describe }
  return { words, describe, value: { name: value, kind: choices ?? KINDS_BY_OPTION[name] ?? kindOf(value) } }
}

function kindOf(name: string): Kind {
  return KINDS[name] ?? 'text'
}

/** `letmein [FILE]`, `HOST PORT…`, `bash|zsh|fish`: what is not in capitals is to be typed as it stands. */
function positionalsOf(shown: string): CompletedCommand['positionals'] {
  return shown
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const name = word.replace(/[[\]…]|\.\.\./g, '')
      const kind = /^[a-z][a-z0-9|-]*$/.test(name) ? name.split('|') : kindOf(name)
      return { name, kind, repeats: /…|\.\.\./.test(word) }
    })
}
