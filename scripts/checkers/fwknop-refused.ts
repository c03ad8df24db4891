/** Commands that fwknop's client refuses: postern's reader of .fwknoprc refuses the same, or no packet can be made of it. */
import { ConfigError } from '../../lib/config/error.js'
import { optionOf, packetOf, type RcFiles, settingsOf, UnknownOption, wordsOf } from './fwknop-commands.js'
import { type Fields, optional, textOf, wrong } from './shape.js'
import type { Tally } from './tally.js'

const MADE_WITH = { rand: '1234567890123456', timeSeconds: 1_790_000_000 }

/** Counts one entry: `cmd`, the words of a command that ended with an error. */
export function countRefusedCommand(fields: Fields, at: string, tally: Tally, files: RcFiles): void {
  const name = optional(textOf, fields, 'name', at)
  const where = name === undefined ? at : `${at} (${name})`
  const words = wordsOf(fields, where)
  if (words === undefined) throw wrong(`${where}.cmd`, words, 'a list of words')
  const username = optionOf(words, '-U') ?? 'alice'
  try {
    tally.count(where, isMade(words, username, files) ? ['a packet is made here, refused in the file'] : [])
  } catch (error) {
    if (!(error instanceof UnknownOption)) throw error
    tally.notes.push(`${where}: ${error.message}: no option that is known here: not tried, and not counted`)
  }
}

function isMade(words: readonly string[], username: string, files: RcFiles): boolean {
  try {
    packetOf(settingsOf(words, files), { ...MADE_WITH, username }, new Uint8Array(8))
    return true
  } catch (error) {
    if (error instanceof ConfigError || error instanceof RangeError) return false
    throw error
  }
}
