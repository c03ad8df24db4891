/** Commands that fwknop's client sent a packet for: postern's reader of .fwknoprc makes the same packet of them, character by character. */

import { defaultUsername } from '../../lib/cli/fwknop-user.js'
import { ConfigError } from '../../lib/config/error.js'
import { isUnspoken, optionOf, packetOf, type RcFiles, settingsOf, UnknownOption, wordsOf } from './fwknop-commands.js'
import { type Fields, fieldsOf, optional, textOf, wholeOf } from './shape.js'

/** How far the clock may be from the time that the client took. */
const CLOCK_SECONDS = 2
const MOST_SPOOF_CHARS = 29
const MOST_USER_CHARS = 48

/** Nothing where the entry names no command, or one that asks for what postern's client does not. */
export function differencesOfCommand(
  fields: Fields,
  where: string,
  salt: Uint8Array,
  isAccepted: boolean,
  files: RcFiles,
  note: (line: string) => void,
): string[] {
  const words = wordsOf(fields, where)
  if (words === undefined || isUnspoken(words)) return []
  if (fields['fields'] === undefined || fields['fields'] === null) {
    note(`${where}: no fields: the packet was read, the command was not tried`)
    return []
  }
  const said = fieldsOf(fields['fields'], `${where}.fields`)
  const text = (name: string) => textOf(said, name, `${where}.fields`)
  const timeSeconds = wholeOf(said, 'timestamp', `${where}.fields`)
  const found: string[] = []
  try {
    const settings = settingsOf(words, files)
    const username = usernameOf(words) ?? settings.spoofUser ?? userOfEnvironment(fields, where) ?? text('user')
    const packet = packetOf(settings, { rand: text('rand'), username, timeSeconds }, salt)
    if (!isAccepted) return ['command: a packet is made here that no server takes']
    if (packet !== textOf(fields, 'wire', where)) found.push('command: another packet is made here')
    const clock = optional(wholeOf, fields, 'client_clock', where)
    const offset = settings.timeOffsetSeconds
    if (offset !== 0 && clock !== undefined && Math.abs(timeSeconds - offset - clock) > CLOCK_SECONDS)
      found.push(`command: time offset ${offset} s here, ${timeSeconds - clock} s in the file`)
  } catch (error) {
    if (error instanceof UnknownOption) {
      note(`${where}: ${error.message}: no option that is known here: the packet was read, the command was not tried`)
      return []
    }
    if (!(error instanceof ConfigError || error instanceof RangeError)) throw error
    if (isAccepted) found.push(`command: refused here: ${error.message}`)
  }
  return found
}

/** What the command line names. fwknop cuts it. */
function usernameOf(words: readonly string[]): string | undefined {
  return optionOf(words, '-U')?.slice(0, MOST_SPOOF_CHARS)
}

/** What the environment names, where the entry says it. */
function userOfEnvironment(fields: Fields, where: string): string | undefined {
  if (fields['env'] === undefined || fields['env'] === null) return undefined
  const env = fieldsOf(fields['env'], `${where}.env`)
  const [SPOOF_USER, LOGNAME] = ['SPOOF_USER', 'LOGNAME'].map((name) => optional(textOf, env, name, `${where}.env`))
  const name = SPOOF_USER ?? LOGNAME
  // A longer one is cut here, where the client sends what no server takes.
  return name === undefined || name.length > MOST_USER_CHARS
    ? undefined
    : defaultUsername({ SPOOF_USER, LOGNAME }, () => undefined)
}
