/**
 * The grammar of letmein's configuration files (docs/PROTOCOL.md, "Configuration files"): sections, options, continuation
 * lines, comments. Tells the line of everything. Pure; never throws.
 */
import { quote } from './error.js'

export interface Option {
  readonly name: string
  /** Continuation lines joined by one blank each; blanks at both ends are still there and do not count. */
  readonly value: string
  /** 1-based line of the name. */
  readonly line: number
  /** Where in the value each further line begins. */
  readonly continued: readonly { readonly offset: number; readonly line: number }[]
}

export interface Section {
  readonly name: string
  readonly line: number
  readonly options: readonly Option[]
}

export interface Ini {
  readonly sections: ReadonlyMap<string, Section>
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] }

/** The sections of a text and everything that is wrong with its form. */
export function parseIni(text: string): Ini {
  const sections = new Map<string, Growing<Section>>()
  const problems: { line: number; message: string }[] = []
  // Line of each name, by section: a linear search would take minutes where there are 100,000 keys.
  const names = new Map<string, Map<string, number>>()
  let section: Growing<Section> | undefined
  let option: Growing<Option> | undefined

  const lines = text.split('\n')
  if (text.startsWith('\uFEFF')) {
    problems.push({ line: 1, message: 'byte order mark: expected UTF-8 without one' })
    lines[0] = lines[0]!.slice(1)
  }
  lines.forEach((raw, index) => {
    const line = index + 1
    const visible = trim(raw)
    if (option !== undefined && visible !== '' && /^[ \t]/.test(raw)) {
      // Whatever it holds: a comment, header or option that is indented here continues the value too.
      option.value += ' '
      option.continued.push({ offset: option.value.length, line })
      option.value += visible
      return
    }
    option = undefined
    if (visible === '' || visible.startsWith('#')) return
    if (visible.startsWith('[')) {
      const name = visible.slice(1, -1)
      if (!visible.endsWith(']') || visible.length < 2)
        problems.push({ line, message: `section header ${quote(visible)}: expected [NAME] and nothing behind it` })
      else if (name === '') problems.push({ line, message: 'section header "[]": expected a name' })
      else {
        const known = sections.get(name)
        if (known !== undefined)
          problems.push({ line, message: `section [${name}] is here twice: the first is in line ${known.line}` })
        section = known ?? { name, line, options: [] }
        sections.set(name, section)
        if (known === undefined) names.set(name, new Map())
      }
      return
    }
    const equals = visible.indexOf('=')
    // The line may hold a key that lacks its "=": a line of a section with keys is never shown.
    const shown = /^(KEYS|OLD KEYS|HOST )/.test(section?.name ?? '') ? 'line' : quote(visible)
    if (equals < 0) problems.push({ line, message: `${shown}: expected NAME = VALUE` })
    else if (equals === 0) problems.push({ line, message: `${shown}: expected a name before "="` })
    else if (section === undefined)
      problems.push({
        line,
        message: `option ${quote(trim(visible.slice(0, equals)))}: expected a section header [NAME] above it`,
      })
    else {
      const name = trim(visible.slice(0, equals))
      option = { name, value: visible.slice(equals + 1), line, continued: [] }
      const first = names.get(section.name)!.get(name)
      if (first !== undefined)
        problems.push({ line, message: `option ${quote(name)} is here twice: the first is in line ${first}` })
      else {
        section.options.push(option)
        names.get(section.name)!.set(name, line)
      }
    }
  })
  return { sections, problems }
}

/** The line of the file that the value's character at this offset stands in. */
export function lineAt(option: Option, offset: number): number {
  return option.continued.findLast((row) => row.offset <= offset)?.line ?? option.line
}

const BLANK = /[\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/

/** Without Unicode white space at both ends. Unlike String.trim, a byte order mark is none and U+0085 is. */
export function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && BLANK.test(text[start]!)) start++
  while (end > start && BLANK.test(text[end - 1]!)) end--
  return text.slice(start, end)
}
