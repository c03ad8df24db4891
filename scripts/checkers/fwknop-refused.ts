/**
 * Commands that fwknop's client refuses: the packet that they ask for cannot be made here either. What the client refuses for another
 * reason than the packet (its files, a password that nobody types, rules of its own) is said in a note.
 */

import { sealFwknop } from '../../lib/wire/fwknop.js'
import { decodeBase64, latin1Bytes, latin1Of } from '../../lib/wire/fwknop-base64.js'
import type { FwknopMode } from '../../lib/wire/fwknop-types.js'
import { attempt } from './compare.js'
import { type Fields, textOf, wrong } from './shape.js'
import type { Tally } from './tally.js'

const MODES: Readonly<Record<string, FwknopMode>> = {
  cbc: 'cbc',
  ecb: 'ecb',
  cfb: 'cfb',
  ofb: 'ofb',
  ctr: 'ctr',
  legacy: 'legacy',
}
const MAX_CLIENT_HMAC_KEY_BYTES = 128
const SALT = new Uint8Array(8)

/** Counts one entry: `cmd`, the words of a command that ended with an error. */
export function countRefusedCommand(fields: Fields, at: string, tally: Tally): void {
  const where = `${at} (${textOf(fields, 'name', at)})`
  const words = fields['cmd']
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
    throw wrong(`${where}.cmd`, words, 'a list of words')
  const own = ruleOfTheClient(words)
  if (own !== undefined) {
    tally.notes.push(`${where}: ${own}`)
    return
  }
  const made = attempt(() => ({ packet: packetOf(words) }))
  tally.count(where, typeof made === 'string' ? [] : ['a packet is made here, refused in the file'])
}

const optionOf = (words: readonly string[], ...names: string[]) => {
  const at = words.findIndex((word) => names.includes(word))
  return at < 0 ? undefined : words[at + 1]
}

const bytesIn = (words: readonly string[], plain: string, base64: string) => {
  const [text, encoded] = [optionOf(words, plain), optionOf(words, base64)]
  if (text !== undefined) return new TextEncoder().encode(text)
  return encoded === undefined ? undefined : decodeBase64(encoded)
}

const keyIn = (words: readonly string[]) => bytesIn(words, '--key-rijndael', '--key-base64-rijndael')
const hmacKeyIn = (words: readonly string[]) => bytesIn(words, '--key-hmac', '--key-base64-hmac')

/** Why the packet itself has no fault. */
function ruleOfTheClient(words: readonly string[]): string | undefined {
  if (words.includes('-n') || words.includes('--named-config')) return 'is about a file of the client, no packet'
  if (keyIn(words) === undefined) return 'is about where a key comes from, no packet'
  const hmac = hmacKeyIn(words)
  if (hmac !== undefined && optionOf(words, '-M')?.toLowerCase() === 'legacy')
    return 'a rule of the client alone: fwknopd takes a legacy packet with an HMAC'
  if (hmac !== undefined && hmac.length > MAX_CLIENT_HMAC_KEY_BYTES && hmac.length <= 136)
    return 'a rule of the client alone: fwknopd takes HMAC keys up to 136 bytes'
  return undefined
}

/** The packet that the words ask for. Throws RangeError where there can be none. */
function packetOf(words: readonly string[]): string {
  const name = optionOf(words, '-M') ?? 'CBC'
  const mode = MODES[name.toLowerCase()]
  if (mode === undefined) throw new RangeError(`mode ${name}: expected ${Object.keys(MODES).join(', ')}`)
  const hmac = hmacKeyIn(words)
  const command = optionOf(words, '-C', '--server-cmd')
  const user = latin1Of(new TextEncoder().encode(optionOf(words, '-U', '--spoof-user') ?? 'alice'))
  const message = {
    rand: '1234567890123456',
    username: user,
    timeSeconds: 1_790_000_000,
    version: '3.0.0',
    type: command === undefined ? 1 : 0,
    message: `${optionOf(words, '-a') ?? '0.0.0.0'},${command ?? optionOf(words, '-A') ?? 'none/0'}`,
    timeoutSeconds: 0,
    digest: 'sha256',
  } as const
  latin1Bytes(message.message)
  const keys = {
    key: keyIn(words)!,
    mode,
    ...(hmac !== undefined && { hmac: { key: hmac, digest: 'sha256' } as const }),
  }
  return sealFwknop(message, keys, SALT)
}
