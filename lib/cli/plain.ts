/**
 * The quick parser: splits plain command lines, those that need no explanation, by a command's option description. Whatever
 * is out of the ordinary is left to yargs (words.ts), which costs 60 ms more and teaches. Pure.
 */
import type { Arguments, Option } from './options.js'

/** The arguments, or undefined where the line is not plain: help, unknown option, missing or doubled value. */
export function parsePlain(words: readonly string[], options: readonly Option[]): Arguments | undefined {
  const positionals: string[] = []
  const values: Record<string, string | true> = {}
  const spread = spreadLetters(words, options)
  for (let i = 0; i < spread.length; i++) {
    const word = spread[i]!
    if (word === '--') {
      positionals.push(...spread.slice(i + 1))
      break
    }
    if (!isOption(word)) {
      positionals.push(word)
      continue
    }
    const { option, attached } = find(word, options)
    if (option === undefined || option.name in values) return undefined
    if (option.value === undefined) {
      if (attached !== undefined) return undefined
      values[option.name] = true
      continue
    }
    const value = attached ?? spread[++i]
    if (value === undefined || (attached === undefined && value.startsWith('-'))) return undefined
    values[option.name] = value
  }
  return { positionals, values }
}

/** One word for each letter and value: `-qw` becomes `-q -w`, `-Pany` becomes `-P any`. What is no such word stays. */
export function spreadLetters(words: readonly string[], options: readonly Option[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return [...words.slice(0, end).flatMap((word) => spreadWord(word, options)), ...words.slice(end)]
}

function spreadWord(word: string, options: readonly Option[]): string[] {
  if (!isOption(word) || word.startsWith('--')) return [word]
  const spread: string[] = []
  for (let i = 1; i < word.length; i++) {
    const option = options.find(({ alias }) => alias === word[i])
    if (option === undefined) return [word]
    spread.push(`-${word[i]}`)
    if (option.value !== undefined && i + 1 < word.length) return [...spread, word.slice(i + 1)]
  }
  return spread
}

function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-')
}

/** `--name`, `--name=value`, `-n`: the option meant and the value behind `=`. */
function find(word: string, options: readonly Option[]): { option?: Option | undefined; attached?: string } {
  if (!word.startsWith('--')) return { option: options.find(({ alias }) => word === `-${alias}`) }
  const equals = word.indexOf('=')
  const name = word.slice(2, equals < 0 ? undefined : equals)
  const option = options.find((candidate) => candidate.name === name)
  return equals < 0 ? { option } : { option, attached: word.slice(equals + 1) }
}
