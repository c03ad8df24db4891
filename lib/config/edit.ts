/**
 * Changes options and sections in the text of a configuration file and leaves every other line as it is, comments too. Pure.
 * What is not there yet, add-options.ts adds.
 */
import { addOptions } from './add-options.js'
import { type Option, parseIni, type Section } from './ini.js'

/**
 * The text with this option of that value: in its place, or behind the last of its section, where it comes between no option and
 * the comment above that. `isIt` tells an option by its name.
 */
export function setOption(text: string, section: string, name: string, value: string, isIt = isNamed(name)): string {
  const found = parseIni(text).sections.get(section)
  const option = found?.options.find((candidate) => isIt(candidate.name))
  const row = `${name} = ${value}`
  if (option !== undefined) return withRows(text, option.line, lastLine(option), [row])
  const last = found?.options.at(-1)
  if (last === undefined) return addOptions(text, [{ section, name, value }])
  const whole = text.endsWith('\n') ? text : text + endOfLine(text)
  const above = whole.split('\n')[lastLine(last) - 1]!
  return withRows(whole, lastLine(last), lastLine(last), [above, row])
}

/** The text without the options of a section that `isIt` names. A section that is left empty goes too, if it has no comment. */
export function removeOptions(text: string, section: string, isIt: (name: string) => boolean): string {
  const found = parseIni(text).sections.get(section)
  const gone = found?.options.filter((option) => isIt(option.name)) ?? []
  const left = gone.toReversed().reduce((rest, option) => withRows(rest, option.line, lastLine(option), []), text)
  const now = parseIni(left).sections.get(section)
  if (gone.length === 0 || now === undefined || now.options.length > 0) return left
  const last = endOf(left, now)
  const rows = left.split('\n').slice(now.line, last)
  return rows.every((row) => row.trim() === '') ? withRows(left, now.line, last, []) : left
}

/** The text without a section and all that stands in it up to the next one. */
export function removeSection(text: string, section: string): string {
  const found = parseIni(text).sections.get(section)
  return found === undefined ? text : withRows(text, found.line, endOf(text, found), [])
}

/** The text with these lines as a section at its end. */
export function appendSection(text: string, section: string, lines: readonly string[]): string {
  const end = endOfLine(text)
  const head = text === '' || text.endsWith('\n') ? text : text + end
  const gap = head === '' || /\n\r?\n$/.test(head) ? '' : end
  return `${head}${gap}${[`[${section}]`, ...lines].join(end)}${end}`
}

/** The text with an option's value changed where it stands, continuation lines and all. */
export function mapOption(text: string, option: Option, change: (value: string) => string): string {
  const rows = text.split('\n').slice(option.line - 1, lastLine(option))
  return withRows(text, option.line, lastLine(option), change(rows.join('\n')).split('\n'))
}

function endOfLine(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function isNamed(name: string): (candidate: string) => boolean {
  return (candidate) => candidate === name
}

function lastLine(option: Option): number {
  return option.continued.at(-1)?.line ?? option.line
}

/** The last line of a section: the one before the next header. */
function endOf(text: string, section: Section): number {
  const others = [...parseIni(text).sections.values()].map(({ line }) => line).filter((line) => line > section.line)
  const rows = text.split('\n')
  const count = rows.at(-1) === '' ? rows.length - 1 : rows.length
  return others.length > 0 ? Math.min(...others) - 1 : count
}

/** The text with other rows in place of these; 1-based, both included. An end of line stays what it was. */
function withRows(text: string, first: number, last: number, rows: readonly string[]): string {
  const all = text.split('\n')
  const isCrlf = all[first - 1]?.endsWith('\r') ?? false
  const put = rows.map((row) => (isCrlf && !row.endsWith('\r') ? `${row}\r` : row))
  all.splice(first - 1, last - first + 1, ...put)
  return all.join('\n')
}
