/**
 * The grammar of ~/.fwknoprc: stanzas, and lines `NAME value` whose value ends at the first blank, `;` or `#`. Unlike that of
 * access.conf. Pure; never throws.
 */

export interface RcLine {
  /** undefined: the line does not have the form, which fwknop refuses where it reads the stanza. */
  readonly name: string | undefined
  readonly value: string
  /** What stands behind the value and does not count; empty where it is nothing, or a comment. */
  readonly rest: string
  /** 1-based. */
  readonly line: number
}

export interface RcStanza {
  readonly name: string
  readonly line: number
  readonly lines: readonly RcLine[]
}

/** `[name]`, and whatever comes behind it. */
const HEADER = /^[\t\v\f ]*\[([^\]]+)\]/
const FORM = /^[\t\v\f ]*([^\t\v\f ]+)[\t\v\f ]+([^\t\v\f ;#\r]+)(.*)$/s

/** All stanzas, in their order; one may be there several times. A line above the first is nobody's, and does not count. */
export function rcStanzas(text: string): RcStanza[] {
  const stanzas: { name: string; line: number; lines: RcLine[] }[] = []
  text.split('\n').forEach((full, index) => {
    const row = full.endsWith('\r') ? full.slice(0, -1) : full
    const line = index + 1
    if (row === '' || row.startsWith('#') || row.startsWith(';')) return
    const header = HEADER.exec(row)
    if (header !== null) stanzas.push({ name: header[1]!, line, lines: [] })
    else stanzas.at(-1)?.lines.push(lineOf(row, line))
  })
  return stanzas
}

function lineOf(row: string, line: number): RcLine {
  const [, name, value, behind = ''] = FORM.exec(row) ?? []
  if (name === undefined || value === undefined) return { name: undefined, value: '', rest: '', line }
  const rest = behind.trim()
  const isComment = rest === ';' || /^\s+[;#]/.test(behind)
  return { name: name.endsWith(':') ? name.slice(0, -1) : name, value, rest: isComment ? '' : rest, line }
}
