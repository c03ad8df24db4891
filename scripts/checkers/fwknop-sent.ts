/** Commands that fwknop's client sent a packet for: postern's reader of .fwknoprc makes the same packet of them, character by character. */
import { ConfigError } from '../../lib/config/error.js'
import { isUnspoken, packetOf, type RcFiles, settingsOf, wordsOf } from './fwknop-commands.js'
import { type Fields, fieldsOf, optional, textOf, wholeOf } from './shape.js'

/** How far the clock may be from the time that the client took. */
const CLOCK_SECONDS = 2

/** Nothing where the entry names no command, or one that asks for what postern's client does not. */
export function differencesOfCommand(
  fields: Fields,
  where: string,
  salt: Uint8Array,
  isAccepted: boolean,
  files: RcFiles,
): string[] {
  const words = wordsOf(fields, where)
  if (words === undefined || isUnspoken(words)) return []
  const said = fieldsOf(fields['fields'], `${where}.fields`)
  const text = (name: string) => textOf(said, name, `${where}.fields`)
  const timeSeconds = wholeOf(said, 'timestamp', `${where}.fields`)
  const found: string[] = []
  try {
    const settings = settingsOf(words, files)
    const username = settings.spoofUser ?? text('user')
    const packet = packetOf(settings, { rand: text('rand'), username, timeSeconds }, salt)
    if (!isAccepted) return ['command: a packet is made here that no server takes']
    if (packet !== textOf(fields, 'wire', where)) found.push('command: another packet is made here')
    const clock = optional(wholeOf, fields, 'client_clock', where)
    const offset = settings.timeOffsetSeconds
    if (offset !== 0 && clock !== undefined && Math.abs(timeSeconds - offset - clock) > CLOCK_SECONDS)
      found.push(`command: time offset ${offset} s here, ${timeSeconds - clock} s in the file`)
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof RangeError)) throw error
    if (isAccepted) found.push(`command: refused here: ${error.message}`)
  }
  return found
}
