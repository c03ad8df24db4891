/**
 * Fills in the files of nftables/: `<word>` is replaced, a line that ends in `#if a and !b` is there only where that holds,
 * one that ends in `#each x` once for each x. What comes out has neither comments nor blank lines. Pure.
 */
import { FirewallError } from './types.js'

/** Text fills a `<word>`, a boolean decides an `#if`, a list makes an `#each`. */
export type Words = Readonly<Record<string, string | boolean | readonly string[]>>

const RULE = /^(.*?)\s+#(if|each) (.+)$/

/** The template's lines with these words. Throws FirewallError('nft') where a word is unknown or could break out of its place. */
export function fill(template: string, words: Words): string {
  const lines: string[] = []
  for (const raw of template.split('\n')) {
    const [, marked, kind, condition] = RULE.exec(raw) ?? []
    const line = (marked ?? raw).replace(/(^|\s+)#.*$/, '').trimEnd()
    if (line === '') continue
    if (kind === 'each')
      for (const item of listOf(words, condition!)) lines.push(fillLine(line, words, condition!, item))
    else if (kind === undefined || holds(condition!, words)) lines.push(fillLine(line, words))
  }
  return `${lines.join('\n')}\n`
}

function fillLine(line: string, words: Words, each?: string, item?: string): string {
  return line.replace(/<([a-z0-9-]+)>/g, (_, name: string) => {
    const word = name === each ? item! : words[name]
    if (typeof word !== 'string') throw new FirewallError('nft', `template word <${name}>: expected a text for it`)
    // Names and addresses are checked where they are read; this is the last place where one could become another statement.
    if (/["\\\n\r;#<>]/.test(word))
      throw new FirewallError('nft', `template word <${name}> = ${JSON.stringify(word)}: expected no quote, ; or #`)
    return word
  })
}

function holds(condition: string, words: Words): boolean {
  return condition.split(' and ').every((part) => {
    const wanted = !part.startsWith('!')
    const word = words[wanted ? part : part.slice(1)]
    if (typeof word !== 'boolean')
      throw new FirewallError('nft', `template condition "${part}": expected true or false for it`)
    return word === wanted
  })
}

function listOf(words: Words, name: string): readonly string[] {
  const word = words[name]
  if (!Array.isArray(word)) throw new FirewallError('nft', `template list "${name}": expected a list for it`)
  return word
}
