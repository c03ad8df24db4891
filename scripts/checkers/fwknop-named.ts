/** What an entry of fwknop's vectors says twice: a number's name, a key's other spelling, what the characters of the packet show anyway. */
import { DIGEST_CHARS, DIGESTS } from '../../lib/wire/fwknop-digest.js'
import type { FwknopMessage } from '../../lib/wire/fwknop-text.js'
import type { FwknopKeys, FwknopMode } from '../../lib/wire/fwknop-types.js'
import { compareFields } from './compare.js'
import { type Fields, fieldsOf } from './shape.js'

/** As libfko calls them. */
export const TYPE_NAMES = [
  'Command msg',
  'Access msg',
  'NAT access msg',
  'Client timeout access msg',
  'Client timeout NAT access msg',
  'Local NAT access msg',
  'Client timeout local NAT access msg',
] as const

/** The numbers that the client prints. */
export const MODE_NUMBERS: Readonly<Record<number, FwknopMode>> = {
  1: 'ecb',
  2: 'cbc',
  3: 'cfb',
  5: 'ofb',
  6: 'ctr',
  8: 'legacy',
}

/** Of `fields`, which a client printed, where they are not what the packet, its keys and its message are. */
export function differencesOfNames(said: Fields, message: FwknopMessage, keys: FwknopKeys, wire: string): string[] {
  const { hmac, mode } = keys
  const ours: Readonly<Record<string, unknown>> = {
    message_type_name: TYPE_NAMES[message.type],
    digest_type_name: message.digest.toUpperCase(),
    hmac_type: hmac === undefined ? 0 : DIGESTS.indexOf(hmac.digest) + 1,
    hmac_type_name: hmac === undefined ? 'None' : hmac.digest.toUpperCase(),
    hmac: hmac === undefined ? null : wire.slice(-DIGEST_CHARS[hmac.digest]),
    encryption_mode: Number(Object.entries(MODE_NUMBERS).find(([, name]) => name === mode)?.[0]),
    encryption_mode_name: mode === 'legacy' ? mode : mode.toUpperCase(),
  }
  return Object.entries(ours).flatMap(([name, value]) => {
    const theirs = said[name]
    return theirs === undefined ? [] : compareFields(name, value, theirs)
  })
}

/** Of `key` and `hmac_key`: hex counts, and `base64` or `text` beside it is the same key. */
export function differencesOfKeys(fields: Fields, where: string): string[] {
  return ['key', 'hmac_key'].flatMap((name) => {
    if (typeof fields[name] !== 'object' || fields[name] === null) return []
    const { hex, base64, text } = fieldsOf(fields[name], `${where}.${name}`)
    const same = (what: string, bytes: Buffer) =>
      bytes.toString('hex') === String(hex).toLowerCase() ? [] : [`${name}.${what}: another key than ${name}.hex`]
    return [
      ...(typeof base64 === 'string' ? same('base64', Buffer.from(base64, 'base64')) : []),
      ...(typeof text === 'string' ? same('text', Buffer.from(text, 'utf8')) : []),
    ]
  })
}
