/**
 * What a command of fwknop's client sends, by postern's reader of .fwknoprc: an option is a line of the stanza, on top of what the
 * file says.
 */
import { ConfigError } from '../../lib/config/error.js'
import { type FwknopClientSettings, readFwknopRc } from '../../lib/config/fwknop-rc.js'
import { sealFwknop } from '../../lib/wire/fwknop.js'
import { latin1Of } from '../../lib/wire/fwknop-base64.js'
import { typeOf, VERSION } from '../../lib/wire/fwknop-text.js'
import { type Fields, fieldsOf, textOf, wrong } from './shape.js'

/** Options with a value, and the name of their line. */
const NAMES: Readonly<Record<string, string>> = {
  '-D': 'SPA_SERVER',
  '-p': 'SPA_SERVER_PORT',
  '-P': 'SPA_SERVER_PROTO',
  '-S': 'SPA_SOURCE_PORT',
  '-Q': 'SPOOF_SOURCE_IP',
  '-A': 'ACCESS',
  '-a': 'ALLOW_IP',
  '-f': 'FW_TIMEOUT',
  '-m': 'DIGEST_TYPE',
  '--digest-type': 'DIGEST_TYPE',
  '-M': 'ENCRYPTION_MODE',
  '--hmac-digest-type': 'HMAC_DIGEST_TYPE',
  '--key-rijndael': 'KEY',
  '--key-base64-rijndael': 'KEY_BASE64',
  '--key-hmac': 'HMAC_KEY',
  '--key-base64-hmac': 'HMAC_KEY_BASE64',
  '-G': 'KEY_FILE',
  '--get-hmac-key': 'HMAC_KEY_FILE',
  '--time-offset-plus': 'TIME_OFFSET',
  '-N': 'NAT_ACCESS',
  '--nat-port': 'NAT_PORT',
}
const FLAGS: Readonly<Record<string, string>> = {
  '-s': 'ALLOW_IP source',
  '-R': 'ALLOW_IP resolve',
  '-r': 'RAND_PORT Y',
  '--use-hmac': 'USE_HMAC Y',
  '--nat-local': 'NAT_LOCAL Y',
  '--nat-rand-port': 'NAT_RAND_PORT Y',
}
/** Those that have no line, or are no matter of the packet. */
const PASSED_OVER = ['--no-rc-file', '--no-save-args', '--no-home-dir', '-v', '-T']
const PASSED_OVER_WITH_VALUE = ['-B', '-b', '-U', '--rc-file', '-n']
/** What each of them is called in full, but for those that are known by that name above. */
const IN_FULL: Readonly<Record<string, string>> = {
  '--destination': '-D',
  '--server-port': '-p',
  '--server-proto': '-P',
  '--source-port': '-S',
  '--spoof-source': '-Q',
  '--access': '-A',
  '--allow-ip': '-a',
  '--fw-timeout': '-f',
  '--encryption-mode': '-M',
  '--get-key': '-G',
  '--nat-access': '-N',
  '--server-cmd': '-C',
  '--source-ip': '-s',
  '--resolve-ip-https': '-R',
  '--rand-port': '-r',
  '--verbose': '-v',
  '--test': '-T',
  '--save-packet': '-B',
  '--save-packet-append': '-b',
  '--spoof-user': '-U',
  '--named-config': '-n',
}

/** A command has an option that is not known here, so that nothing can be said about it. */
export class UnknownOption extends Error {
  override readonly name = 'UnknownOption'
}

export type RcFiles = Readonly<Record<string, string>>

/** The files that commands name, as the vectors have them. */
export function rcFilesOf(file: Fields): RcFiles {
  const meta = file['meta'] === undefined ? {} : fieldsOf(file['meta'], 'meta')
  const files = meta['rc_files'] === undefined ? {} : fieldsOf(meta['rc_files'], 'meta.rc_files')
  return Object.fromEntries(Object.keys(files).map((name) => [name, textOf(files, name, 'meta.rc_files')]))
}

/** The words of `cmd`, or undefined where there are none; options in one spelling, each value in a word of its own. */
export function wordsOf(fields: Fields, where: string): string[] | undefined {
  const words = fields['cmd']
  if (words === undefined || words === null) return undefined
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
    throw wrong(`${where}.cmd`, words, 'a list of words')
  return words.flatMap((word) => {
    const [, option = word, value] = /^(--[a-z0-9-]+)=(.*)$/s.exec(word) ?? []
    return [IN_FULL[option] ?? option, ...(value === undefined ? [] : [value])]
  })
}

/** Commands and NAT are what postern's client does not ask for. */
export function isUnspoken(words: readonly string[]): boolean {
  return words.some((word) => word === '-C' || word === '-N' || word.startsWith('--nat-'))
}

/** The value of an option, the last one of that name. */
export function optionOf(words: readonly string[], ...names: string[]): string | undefined {
  const at = words.findLastIndex((word) => names.includes(word))
  return at < 0 ? undefined : words[at + 1]
}

/** Throws ConfigError where the client refuses its file or options. */
export function settingsOf(words: readonly string[], files: RcFiles): FwknopClientSettings {
  const stanza = optionOf(words, '-n')
  const content = files[optionOf(words, '--rc-file') ?? ''] ?? ''
  // A stanza of this name is made by no option.
  const isKnown = stanza === undefined || content.toLowerCase().includes(`[${stanza.toLowerCase()}]`)
  const text = [content, ...(isKnown ? [`[${stanza ?? 'default'}]`, ...linesOf(words)] : [])].join('\n')
  const readKeys = (name: string) => {
    if (files[name] === undefined) throw new ConfigError([{ file: name, line: 0, message: 'no such file' }], 'missing')
    return { text: files[name], warnings: [] }
  }
  const handed = { readKeys, read: (name: string) => readKeys(name).text, list: () => [] }
  return readFwknopRc(text, 'fwknoprc', stanza, { files: handed })
}

/** The packet of these settings. Throws RangeError where there can be none. */
export function packetOf(
  { access, allowIp, fwTimeout, keys, digestType }: FwknopClientSettings,
  { rand, username, timeSeconds }: { readonly rand: string; readonly username: string; readonly timeSeconds: number },
  salt: Uint8Array,
): string {
  if (keys === undefined) throw new RangeError('no key: expected KEY or KEY_BASE64')
  const message = {
    rand,
    username: latin1Of(new TextEncoder().encode(username)),
    timeSeconds,
    version: VERSION,
    type: typeOf('none', fwTimeout),
    message: [
      allowIp === 'source' ? '0.0.0.0' : allowIp,
      ...access.map((port) => `${port.protocol}/${port.port}`),
    ].join(),
    timeoutSeconds: fwTimeout,
    digest: digestType,
  }
  return sealFwknop(message, keys, salt)
}

function linesOf(words: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 1; i < words.length; i++) {
    const word = words[i]!
    if (FLAGS[word] !== undefined) lines.push(FLAGS[word])
    else if (NAMES[word] !== undefined) lines.push(lineOf(NAMES[word], words[++i] ?? ''))
    else if (word === '--time-offset-minus') lines.push(`TIME_OFFSET -${words[++i]}`)
    else if (PASSED_OVER_WITH_VALUE.includes(word)) i++
    else if (!PASSED_OVER.includes(word)) throw new UnknownOption(word)
  }
  return lines
}

/** A passphrase with what ends a value in the file is said in base64. */
function lineOf(name: string, value: string): string {
  const isCut = /[\s;#]/.test(value) && (name === 'KEY' || name === 'HMAC_KEY')
  return isCut ? `${name}_BASE64 ${Buffer.from(value).toString('base64')}` : `${name} ${value}`
}
