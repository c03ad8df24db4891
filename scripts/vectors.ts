/**
 * `scripts/vectors PROTOCOL FILE`: holds this code against a file of test vectors, anybody's, and knows nothing of what is
 * in it. Every difference is a line of standard output, the last line `N agreed, M differed`. Exit code 0: all agreed;
 * 1: some differed; 2: wrong usage, or no such file of vectors.
 */
import { readFileSync } from 'node:fs'
import { checkFwknop } from './checkers/fwknop.js'
import { checkLetmein } from './checkers/letmein.js'
import { ShapeError } from './checkers/shape.js'
import { checkSpa } from './checkers/spa.js'
import type { Checker } from './checkers/tally.js'

const CHECKERS: ReadonlyMap<string, Checker> = new Map([
  ['spa', checkSpa],
  ['letmein', checkLetmein],
  ['fwknop', checkFwknop],
])

process.exitCode = main(process.argv.slice(2))

function main(words: readonly string[]): number {
  const [protocol, path] = words
  const known = [...CHECKERS.keys()].join(', ')
  if (protocol === undefined || path === undefined || words.length > 2)
    return refuse(`usage: scripts/vectors PROTOCOL FILE (PROTOCOL: ${known})`)
  const check = CHECKERS.get(protocol)
  if (check === undefined) return refuse(`protocol "${protocol}": expected ${known}`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(`${path}: ${(error as Error).message}: expected a readable file of ${protocol} vectors`)
  }
  try {
    const tally = check(JSON.parse(text))
    for (const line of tally.notes) console.error(`note: ${line}`)
    for (const line of tally.differences) console.log(line)
    console.log(`${tally.agreed} agreed, ${tally.differed} differed`)
    return tally.differed === 0 ? 0 : 1
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(`${path}: no JSON (${error.message})`)
    if (error instanceof ShapeError) return refuse(`${path}: ${error.message}`)
    throw error
  }
}

function refuse(why: string): number {
  console.error(`scripts/vectors: ${why}`)
  return 2
}
