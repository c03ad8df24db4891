/**
 * Adds options to the text of a configuration file and leaves every other line as it is, comments too. Pure.
 */
import { parseIni } from './ini.js'

/** An option that is to be there, with the comment above it. One that is there already stays what it is. */
export interface Addition {
  readonly section: string
  readonly name: string
  readonly value: string
  /** Lines without `#`. */
  readonly comment?: readonly string[]
}

/** The text with them: below the header of a section that is there, or in a new section at the end. */
export function addOptions(text: string, additions: readonly Addition[]): string {
  const { sections } = parseIni(text)
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  const behind = new Map<number, string[]>()
  const fresh = new Map<string, string[]>()
  for (const { section: title, name, value, comment = [] } of additions) {
    const section = sections.get(title)
    if (section?.options.some((option) => option.name === name)) continue
    const lines = [...comment.map((line) => `# ${line}`), `${name} = ${value}`]
    if (section === undefined) fresh.set(title, [...(fresh.get(title) ?? []), ...lines])
    else behind.set(section.line, [...(behind.get(section.line) ?? []), ...lines])
  }
  const rows = text.split('\n').flatMap((row, index, whole) => {
    const added = behind.get(index + 1) ?? []
    // An indented line would continue what is above it; a blank one ends that.
    const gap = added.length > 0 && /^[ \t]/.test(whole[index + 1] ?? '') ? [''] : []
    return [row, ...[...added, ...gap].map((line) => (row.endsWith('\r') ? `${line}\r` : line))]
  })
  const all = rows.join('\n')
  const parts = [...fresh].map(([title, lines]) => [`[${title}]`, ...lines, ''].join(end))
  if (all === '') return parts.join(end)
  return [/\n$/.test(all) ? all : all + end, ...parts].join(parts.length > 0 ? end : '')
}
