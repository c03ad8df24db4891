/**
 * Changes a configuration file of ours in its place: read, changed and put back whole, under a lock, with owner and permissions
 * as they were. No copy is left behind: it would keep keys that were taken out.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from './error.js'
import { type Reader, shellWord } from './permissions.js'
import { readOwnFile, warningsOfReaders } from './read-file.js'

export interface NewFile {
  readonly mode: number
  readonly folderMode: number
}

/**
 * Puts what `change` makes of the file's text in its place; undefined: it stays as it is. A file that is not there is an empty
 * text, and made as `fresh` says; without that it is an error. Throws ConfigError (a file that others can write or read is
 * refused, nothing changed) and what `change` throws.
 */
export function changeFile(
  path: string,
  reader: Reader,
  change: (text: string | undefined) => string | undefined,
  fresh?: NewFile,
): void {
  const file = realPath(path)
  if (file === undefined && fresh !== undefined) mkdirSync(dirname(path), { recursive: true, mode: fresh.folderMode })
  const target = file ?? path
  const draft = `${target}.new`
  const fd = lock(draft, target)
  let isOurs = true
  try {
    const own = file === undefined && fresh !== undefined ? undefined : readOwnFile(target, reader)
    if (own !== undefined) warningsOfReaders(target, own.facts, reader)
    const text = change(own?.text)
    if (text === undefined || text === own?.text) return
    try {
      writeFileSync(fd, text)
      if (own !== undefined && reader.uid === 0) chownSync(draft, own.facts.uid, own.facts.gid)
      chmodSync(draft, own === undefined ? fresh!.mode : own.facts.mode & 0o777)
      fsyncSync(fd)
      renameSync(draft, target)
    } catch (error) {
      throw notWritten(target, error)
    }
    // From here on the name is free: what has it is another command's lock.
    isOurs = false
  } finally {
    closeSync(fd)
    if (isOurs) rmSync(draft, { force: true })
  }
}

function notWritten(file: string, error: unknown): ConfigError {
  const { code } = error as NodeJS.ErrnoException
  const message = `it cannot be changed (${code}), and is as it was: expected a disk with room that may be written`
  return new ConfigError([{ file, line: 0, message }], 'permission', { cause: error })
}

/** Where links lead, so that a link stays one. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** The draft's own name is the lock: who has made it changes the file. */
function lock(draft: string, file: string): number {
  try {
    return openSync(draft, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const message =
      code === 'EEXIST'
        ? `another command is changing it; if none is, it was cut off: rm ${shellWord(draft)}`
        : `it cannot be changed (${code}): expected a folder that may be written, as root or as its owner`
    throw new ConfigError([{ file, line: 0, message }], code === 'EEXIST' ? 'config' : 'permission', { cause: error })
  }
}
