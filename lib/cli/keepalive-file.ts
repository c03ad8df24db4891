/** The file of `postern keepalive --file`: a line for each host, as it would stand behind `postern keepalive`. Pure. */
import { ConfigError, type Problem, quote } from '../config/error.js'
import { nearestName } from '../config/nearest.js'
import { CHARGE_OPTIONS, KEEPALIVE_OPTIONS } from './keepalive-options.js'
import type { Arguments } from './options.js'
import { parsePlain } from './plain.js'

/** A line of the file, split up. */
export interface Row {
  readonly args: Arguments
  /** 1-based. */
  readonly line: number
}

const FORM = 'HOST PORT… [options], like gate.example.org 22 --lifetime 10m'

/**
 * The rows of a file's text, with the options that `common` gives to all of them. Blank lines and lines that begin with `#`
 * are none. Throws ConfigError with all lines that cannot be split up, or where there is no host at all.
 */
export function readRows(text: string, file: string, common: Arguments): Row[] {
  const problems: Problem[] = []
  const rows = text.split('\n').flatMap((raw, index): Row[] => {
    const words = raw.trim().split(/\s+/)
    if (words[0] === '' || words[0]!.startsWith('#')) return []
    const args = parsePlain(words, CHARGE_OPTIONS)
    if (args !== undefined)
      return [{ args: { ...args, values: { ...common.values, ...args.values } }, line: index + 1 }]
    problems.push({ file, line: index + 1, message: reasonOf(words) })
    return []
  })
  if (problems.length === 0 && rows.length === 0)
    problems.push({ file, line: 0, message: `no host: expected a line ${FORM}` })
  if (problems.length > 0) throw new ConfigError(problems)
  return rows
}

/** Why these words are no row. */
function reasonOf(words: readonly string[]): string {
  const names = CHARGE_OPTIONS.map(({ name }) => name)
  for (const word of words) {
    const [, name] = /^--([^=]*)/.exec(word) ?? []
    if (name === undefined || names.includes(name)) continue
    if (KEEPALIVE_OPTIONS.some((option) => option.name === name))
      return `--${name}: expected on the command line, not in the file`
    const nearest = nearestName(name, names)
    return `${quote(word)} is no option${nearest === undefined ? '' : `: did you mean --${nearest}?`}`
  }
  return `an option without its value, twice or unknown: expected ${FORM}`
}
