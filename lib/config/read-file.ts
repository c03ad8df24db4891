/**
 * Reads a file that must be ours: opened once, judged by what was opened, read from the same descriptor.
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { ConfigError, type ConfigErrorCode } from './error.js'
import { type FileFacts, type Judgement, judgeReaders, judgeWriters, type Reader, shellWord } from './permissions.js'

export interface OwnFile {
  readonly text: string
  readonly facts: FileFacts
}

const MOST_BYTES = 64 * 1024 * 1024

/** A regular UTF-8 file that nobody but its owner can write. Throws ConfigError (missing, permission or config). */
export function readOwnFile(file: string, reader: Reader): OwnFile {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO must not hang the program before it can be told from a file. Windows has no such flag.
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw cannotOpen(file, error as NodeJS.ErrnoException, reader)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw failure(file, 'expected a regular file', 'missing')
    if (stat.size > MOST_BYTES) throw failure(file, `${stat.size} bytes: expected at most ${MOST_BYTES}`, 'config')
    heed(file, judgeWriters(file, stat, reader))
    return { text: decodeUtf8(readFileSync(fd), file), facts: stat }
  } finally {
    closeSync(fd)
  }
}

/** The names in a folder in which nobody but its owner can make files. Throws ConfigError (missing or permission). */
export function listOwnFolder(folder: string, reader: Reader): string[] {
  let judgement: Judgement | undefined
  let names: string[]
  try {
    judgement = judgeWriters(folder, statSync(folder), reader, `chmod go-w ${shellWord(folder)}`)
    names = readdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isThere = code !== 'ENOENT' && code !== 'ENOTDIR'
    if (!isThere) throw failure(folder, 'no such folder', 'missing', error)
    const isRefused = (code === 'EACCES' || code === 'EPERM') && reader.role === 'daemon'
    const word = shellWord(folder)
    const cure = isRefused
      ? `: expected a folder of the daemon's group: chgrp postern ${word} && chmod 750 ${word}`
      : ''
    throw failure(folder, `cannot be listed (${code})${cure}`, 'missing', error)
  }
  heed(folder, judgement)
  return names
}

/** Throws where the file holds keys that others can read; else what is to be said about it, as whole sentences. */
export function warningsOfReaders(file: string, facts: FileFacts, reader: Reader): string[] {
  const judgement = judgeReaders(file, facts, reader)
  heed(file, judgement)
  return judgement === undefined ? [] : [`${file}: ${judgement.message}`]
}

/** The text of UTF-8 bytes; a byte order mark stays in it. Throws ConfigError with the line of the first bad byte. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    let line = 1
    for (let start = 0; start <= bytes.length; line++) {
      const end = bytes.indexOf(0x0a, start)
      const row = bytes.subarray(start, end < 0 ? bytes.length : end)
      if (!isUtf8(row) || end < 0) break
      start = end + 1
    }
    throw new ConfigError([{ file, line, message: 'bytes that are no UTF-8: expected a UTF-8 text' }], 'config', {
      cause,
    })
  }
}

function heed(file: string, judgement: Judgement | undefined): void {
  if (judgement?.refused) throw failure(file, judgement.message, 'permission')
}

function cannotOpen(file: string, error: NodeJS.ErrnoException, reader: Reader): ConfigError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return failure(file, 'no such file', 'missing', error)
  if (error.code !== 'EACCES' && error.code !== 'EPERM')
    return failure(file, `cannot be opened (${error.code})`, 'missing', error)
  const word = shellWord(file)
  const expected =
    reader.role === 'daemon'
      ? `root, or the daemon's own user, with: chown root:postern ${word} && chmod 640 ${word} (posternd check, as root, names folders that are shut, too)`
      : 'a file of your own'
  const who = reader.uid === undefined ? 'this user' : `uid ${reader.uid}`
  return failure(file, `${who} may not read it: expected ${expected}`, 'permission', error)
}

function failure(file: string, message: string, code: ConfigErrorCode, cause?: unknown): ConfigError {
  return new ConfigError([{ file, line: 0, message }], code, { cause })
}
