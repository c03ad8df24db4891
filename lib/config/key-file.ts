/**
 * A key file: one key by itself, 64 hex digits, or as `USER = KEY`, the form of postern gen-key. Blank lines and lines that
 * begin with `#` do not count. No message shows anything of it.
 */
import type { UserId } from '../wire/ids.js'
import { ConfigError, type Problem } from './error.js'
import { trim } from './ini.js'
import type { Reader } from './permissions.js'
import { readOwnFile, warningsOfReaders } from './read-file.js'
import { id, key } from './values.js'

export interface KeyFile {
  /** undefined: the file does not say whose key it is. */
  readonly user?: UserId
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** The key in a file that only its owner can read and write. Throws ConfigError that names the file and shows no key. */
export function loadKeyFile(file: string, reader: Reader): KeyFile {
  const { text, facts } = readOwnFile(file, reader)
  warningsOfReaders(file, facts, reader)
  return readKeyFile(text, file)
}

/** The key in a key file's text. Throws ConfigError. */
export function readKeyFile(text: string, file: string): KeyFile {
  const [row, second] = text
    .split('\n')
    .map((raw, index) => ({ text: trim(raw), line: index + 1 }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'))
  const equals = row?.text.indexOf('=') ?? -1
  const bytes = key(trim(row?.text.slice(equals + 1) ?? ''))
  const user = row === undefined || equals < 0 ? undefined : id(trim(row.text.slice(0, equals)))

  const problems: Problem[] = []
  const refuse = (line: number, message: string) => problems.push({ file, line, message })
  if (user !== undefined && 'misfit' in user) refuse(row!.line, `the user before "=": expected ${user.expected}`)
  if ('misfit' in bytes) refuse(row?.line ?? 0, `the key: ${bytes.misfit}: expected ${bytes.expected}`)
  if (second !== undefined) refuse(second.line, 'a further line: expected one key')
  if (problems.length > 0 || 'misfit' in bytes || (user !== undefined && 'misfit' in user))
    throw new ConfigError(problems)
  return user === undefined ? { key: bytes.value } : { user: user.value, key: bytes.value }
}
