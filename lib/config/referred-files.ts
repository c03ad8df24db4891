/**
 * Files that a configuration refers to: read through these, so that what a text means can be told without a file system. All
 * throw ConfigError.
 */
import { ConfigError } from './error.js'

export interface ReferredFiles {
  /** The text of a file that nobody but its owner can write. */
  read(file: string): string
  /** The text of a file with keys, judged as our own are, and what is to be said about it. */
  readKeys(file: string): { readonly text: string; readonly warnings: readonly string[] }
  /** The names in a folder in which nobody but its owner can make files. */
  list(folder: string): string[]
}

/** Where a text is read by itself: whatever it refers to is missing. */
export const noFiles: ReferredFiles = { read: missing, readKeys: missing, list: missing }

function missing(file: string): never {
  throw new ConfigError([{ file, line: 0, message: 'no such file' }], 'missing')
}
