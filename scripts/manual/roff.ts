/** The words of man(7) that the pages are made of. Text comes as the documents have it, with Markdown's marks in it. Pure. */

/** Text with its marks: `code` and **bold** become bold, links their text. */
export function text(marked: string): string {
  return marked
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/)
    .map((piece) => {
      const [, strong] = /^(?:`|\*\*)(.+?)(?:`|\*\*)$/.exec(piece) ?? []
      return strong === undefined ? literal(unlinked(piece)) : `\\fB${literal(strong)}\\fR`
    })
    .join('')
}

function unlinked(piece: string): string {
  return piece.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1').replace(/<(https?:[^>]+)>/g, '$1')
}

/** Text as it stands. A blank line's worth of nothing (`\&`) keeps a first dot or quote from being a request. */
export function literal(plain: string): string {
  const escaped = plain.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('~', '\\(ti').replaceAll('^', '\\(ha')
  return escaped
    .replaceAll('`', '\\(ga')
    .replace(/^(?=[.'])/gm, '\\&')
    .replace(/[^\0-\x7f]/gu, (character) => NAMED[character] ?? character)
}

/** By name they have something in their place where a terminal has ASCII alone; as themselves they would be warned of. */
const NAMED: Readonly<Record<string, string>> = { '–': '\\(en', '’': '\\(cq', '×': '\\(mu', '·': '\\(bu' }

/** An argument of a request: one word, whatever is in it. */
function argument(words: string): string {
  return `"${text(words).replaceAll('"', '\\(dq')}"`
}

/** Three dots where a terminal has none of its own; groff's alone, others know how. */
const ELLIPSIS = '.if \\n(.g .fchar \\[u2026] ...'

/** The first line of a page. Left-adjusted and without hyphens: there are long words in it that are to be copied. */
export function title(name: string, section: number, version: string): string {
  return `.\\" Made by scripts/manual.ts: do not edit.\n.TH ${name.toUpperCase()} ${section} "" "postern ${version}" "postern"\n${ELLIPSIS}\n.nh\n.ad l`
}

export function heading(words: string): string {
  return `.SH ${argument(words)}`
}

export function subheading(words: string): string {
  return `.SS ${argument(words)}`
}

export function paragraph(marked: string): string {
  return `.PP\n${text(marked)}`
}

/** A term and what it means, indented. */
export function item(term: string, meaning: string): string {
  return `.TP\n${text(term)}\n${text(meaning)}`
}

export function bullet(marked: string): string {
  return `.IP \\(bu 2\n${text(marked)}`
}

/** Lines as they stand. */
export function verbatim(lines: string): string {
  return `.PP\n.RS 4\n.EX\n${literal(lines)}\n.EE\n.RE`
}
