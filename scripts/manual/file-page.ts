/** The page of a configuration file, out of docs/CONFIGURATION.md and the commented sample. Pure. */
import { type Block, sectionOf } from './markdown.js'
import { sentence } from './program-page.js'
import { bullet, heading, item, literal, paragraph, subheading, title, verbatim } from './roff.js'

export interface FilePage {
  readonly name: string
  readonly describe: string
  readonly version: string
  readonly side: 'client' | 'server'
  /** docs/CONFIGURATION.md. */
  readonly configuration: string
  /** conf/NAME. */
  readonly sample: string
  readonly seeAlso: readonly string[]
}

/** Sections that only one side reads; further rows say it at the beginning of their meaning. */
const OF_SERVER = ['FIREWALL', 'NFTABLES', 'LIMITS']
const OF_CLIENT = ['CLIENT']

/** The page as man(7) text. */
export function filePage({ name, describe, version, side, configuration, sample, seeAlso }: FilePage): string {
  return [
    title(name, 5, version),
    heading('NAME'),
    `${literal(name)} \\- ${literal(describe)}`,
    heading('DESCRIPTION'),
    ...sectionOf(configuration, 'Files').flatMap(prose),
    heading('OPTIONS'),
    ...sectionOf(configuration, 'Options').flatMap((block) =>
      block.kind === 'table' ? options(block.rows, side) : prose(block),
    ),
    heading('RESOURCES'),
    ...sectionOf(configuration, 'Resources').flatMap((block) =>
      block.kind === 'table' ? parts(block.rows) : prose(block),
    ),
    heading('EXAMPLE'),
    verbatim(sample.trimEnd()),
    heading('SEE ALSO'),
    literal(seeAlso.join(', ')),
    '',
  ].join('\n')
}

function prose(block: Block): string[] {
  switch (block.kind) {
    case 'paragraph':
      return [paragraph(block.text)]
    case 'bullet':
      return [bullet(block.text)]
    case 'verbatim':
      return [verbatim(block.text)]
    case 'table':
      return block.rows.map(([term, meaning]) => item(`**${term}**`, sentence(meaning!)))
    default:
      return block satisfies never
  }
}

/** Section, option, meaning, default; a row without a section belongs to the one above it. */
function options(rows: readonly (readonly string[])[], side: 'client' | 'server'): string[] {
  let section = ''
  let shown = ''
  return rows.flatMap(([first, option, meaning, preset]) => {
    section = first || section
    if (!concerns(side, section, meaning!)) return []
    const head = section === shown ? [] : [subheading(`[${section}]`)]
    shown = section
    const own = meaning!.replace(/^(?:server|client)[;:] /, '')
    return [...head, item(option!, sentence(own) + defaultOf(preset))]
  })
}

function concerns(side: 'client' | 'server', section: string, meaning: string): boolean {
  const other = side === 'client' ? 'server' : 'client'
  if ((side === 'client' ? OF_SERVER : OF_CLIENT).includes(section)) return false
  return !new RegExp(`^${other}(?:;|:|$)`).test(meaning)
}

function parts(rows: readonly (readonly string[])[]): string[] {
  return rows.map(([part, meaning, preset]) => item(part!, sentence(meaning!) + defaultOf(preset)))
}

function defaultOf(preset = ''): string {
  return preset === '' ? '' : ` Default: ${preset}.`
}
