/**
 * The lines of fwknopd's two files, access.conf and fwknopd.conf (docs/PROTOCOL.md, "fwknop: access.conf"): `NAME value`, where
 * the value goes up to the first `;`. What fwknopd reads in another way than it looks is refused. Pure; never throws.
 */

export interface FwknopLine {
  readonly name: string
  /** As it stands there: blanks at its end too, which fwknopd 2.6.10 counts and 2.6.11 does not. */
  readonly raw: string
  /** Without blanks at its end. */
  readonly value: string
  /** 1-based. */
  readonly line: number
}

/** fwknopd takes what is behind it for a line of its own. */
const MOST_BYTES = 1022
/** C's white space; not Unicode's. */
const FORM = /^[\t\v\f\r ]*([^\t\v\f\r ]+)[\t\v\f\r ]+([^;\r]+)/
/** No control character but the tab; and none of them in a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/

/**
 * The lines that say something, in their order. `refuse` hears of each that does not have the form; no message shows anything
 * of the line, which may be a key.
 */
export function fwknopLines(text: string, refuse: (line: number, message: string) => void): FwknopLine[] {
  return text.split('\n').flatMap((full, index) => {
    const row = full.endsWith('\r') ? full.slice(0, -1) : full
    const line = index + 1
    if (row === '' || row.startsWith('#') || row.startsWith(';')) return []
    const wrong = (message: string) => {
      refuse(line, message)
      return []
    }
    if (Buffer.byteLength(row) > MOST_BYTES) return wrong(`more than ${MOST_BYTES} bytes: expected a shorter line`)
    if (CONTROL.test(row)) return wrong('a control character: expected text alone')
    const [, name, raw] = FORM.exec(row) ?? []
    if (name === undefined || raw === undefined) return wrong(whatIsMissing(row))
    // To fwknopd a name that it does not know, which it passes over.
    if (/^[#;]/.test(name)) return []
    const value = raw.replace(/[\t\v\f ]+$/, '')
    return value === '' ? wrong('expected a value behind the name') : [{ name, raw, value, line }]
  })
}

/** fwknopd refuses them all. */
function whatIsMissing(row: string): string {
  if (/^[\t ]*$/.test(row)) return 'blanks alone: expected an empty line'
  return /^[\t ]+[#;]/.test(row) ? 'blanks before a comment: expected # as the first character' : 'expected NAME VALUE'
}
