/** The page of a program, out of the descriptions that its --help is made of. Pure. */
import type { Command } from '../../lib/cli/command.js'
import type { Option } from '../../lib/cli/options.js'
import { allCommands, type Program } from '../../lib/cli/program.js'
import { type Block, sectionOf } from './markdown.js'
import { heading, item, literal, paragraph, subheading, title, verbatim } from './roff.js'

export interface Surroundings {
  readonly version: string
  readonly section: number
  /** docs/CONFIGURATION.md. */
  readonly configuration: string
  /** Under DESCRIPTION, a paragraph each. */
  readonly about: readonly string[]
  /** Rows of the table of variables are for both, `client` or `server`. */
  readonly side: 'client' | 'server'
  readonly seeAlso: readonly string[]
}

/** The page as man(7) text. */
export function programPage(program: Program, around: Surroundings): string {
  const { name, describe } = program
  return [
    title(name, around.section, around.version),
    heading('NAME'),
    `${literal(name)} \\- ${literal(describe)}`,
    heading('SYNOPSIS'),
    `.B ${name}\n.I COMMAND\n[options]`,
    `.br\n.B ${name}\n.I COMMAND\n.B \\-\\-help`,
    `.br\n.B ${name} \\-\\-version`,
    heading('DESCRIPTION'),
    ...around.about.map(paragraph),
    heading('COMMANDS'),
    ...allCommands(program).flatMap((command) => commandPart(name, command)),
    heading('EXIT STATUS'),
    ...exitCodes(program.exitCodes),
    heading('ENVIRONMENT'),
    ...variables(sectionOf(around.configuration, 'Environment'), around.side),
    heading('FILES'),
    ...sectionOf(around.configuration, 'Files').flatMap((block) => files(block, around.side)),
    heading('SEE ALSO'),
    literal(around.seeAlso.join(', ')),
    '',
  ].join('\n')
}

function commandPart(program: string, { name, positionals, describe, options, examples }: Command): string[] {
  return [
    subheading(`${program} ${name} ${positionals}`.trim()),
    paragraph(sentence(describe)),
    ...options.map(optionItem),
    ...examples.flatMap(([line, what]) => [
      ...(what === '' ? [] : [paragraph(`${sentence(what).replace(/\.$/, '')}:`)]),
      verbatim(line),
    ]),
  ]
}

function optionItem({ name, alias, value, describe, preset }: Option): string {
  const words = [...(alias === undefined ? [] : [`-${alias}`]), `--${name}`].map((word) => `**${word}**`).join(', ')
  const term = value === undefined ? words : `${words} ${value}`
  return item(term, `${sentence(describe)}${preset === undefined ? '' : ` Default: ${preset}.`}`)
}

/** `0  sent; …`, a line each, further lines indented deeper. */
function exitCodes(lines: string): string[] {
  const rows = lines.replace(/^Exit codes:\n/, '').replace(/\n {5,}(?=\D)/g, ' ')
  return rows.split('\n').map((row) => {
    const [, code, meaning] = /^\s*(\d+)\s+(.*)$/.exec(row) ?? []
    return code === undefined ? paragraph(row.trim()) : item(`**${code}**`, sentence(meaning!))
  })
}

function variables(blocks: readonly Block[], side: Surroundings['side']): string[] {
  return blocks.flatMap((block) => {
    if (block.kind !== 'table') return []
    const rows = block.rows.filter(([, whose]) => whose === 'both' || whose === side)
    return rows.map(([names, , meaning]) => item(names!, sentence(meaning!)))
  })
}

function files(block: Block, side: Surroundings['side']): string[] {
  if (block.kind !== 'table') return []
  const row = block.rows.find(([whose]) => whose === side)
  if (row === undefined) throw new Error(`the table of files has no row "${side}"`)
  return [paragraph(`The configuration is the first of these that is there: ${row[1]}.`)]
}

/** With a capital at its beginning and a stop at its end. */
export function sentence(words: string): string {
  const begun = /^(?!letmein|fwknop|spa|posternd?\b|nft\b)[a-z]+(?:[ ,;:]|$)/.test(words)
    ? words[0]!.toUpperCase() + words.slice(1)
    : words
  return /[.:!?]$/.test(begun) ? begun : `${begun}.`
}
