/** What the pages take of docs/*.md: a section's paragraphs, lists and tables. Only the Markdown that our documents use. Pure. */

export type Block =
  | { readonly kind: 'paragraph' | 'bullet' | 'verbatim'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }

/** The blocks under `## NAME`. Throws where there is no such heading: a page must not lose a part in silence. */
export function sectionOf(document: string, name: string): Block[] {
  const [, body] = new RegExp(`^## ${name}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(document) ?? []
  if (body === undefined) throw new Error(`no section "${name}": expected "## ${name}"`)
  return blocksOf(body)
}

/** The blocks of a text without headings. */
export function blocksOf(body: string): Block[] {
  return body
    .split(/\n\s*\n/)
    .map((chunk) => chunk.replace(/^\n+|\s+$/g, ''))
    .filter((chunk) => chunk !== '')
    .flatMap((chunk): Block[] => {
      if (chunk.startsWith('|')) return [{ kind: 'table', rows: rowsOf(chunk) }]
      if (/^ {4}/.test(chunk)) return [{ kind: 'verbatim', text: chunk.replace(/^ {4}/gm, '') }]
      if (chunk.startsWith('- ')) {
        return chunk
          .split(/^- /m)
          .slice(1)
          .map((one) => ({ kind: 'bullet', text: oneLine(one) }))
      }
      return [{ kind: 'paragraph', text: oneLine(chunk.replace(/^#+ /, '')) }]
    })
}

/** The cells of each row but the head. */
function rowsOf(chunk: string): string[][] {
  const rows = chunk.split('\n').map((line) =>
    line
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  )
  return rows.slice(2)
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim()
}
