/**
 * Writes a configuration file of ours: whole or not at all, readable from its first moment by nobody else than meant, never
 * over a file that is there unless that is asked for, and then with a copy of it beside it.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

export interface WriteChoices {
  readonly mode: number
  /** Whose group it is; root's own files only. */
  readonly gid?: number
  /** Of the folder, where it has to be made. */
  readonly folderMode: number
  /** A file that is there may be replaced. */
  readonly replaces: boolean
  /** What the copy's name ends in: `.2025-11-22T17-52-03Z`. */
  readonly stamp: string
}

/** The path of the copy; undefined: there was no file. `exists`: there was one, and it was left alone. Throws what fs throws. */
export function writeFileOnce(
  path: string,
  text: string,
  choices: WriteChoices,
): { readonly kind: 'written'; readonly copy?: string } | { readonly kind: 'exists' } {
  const { mode, gid, folderMode, replaces, stamp } = choices
  mkdirSync(dirname(path), { recursive: true, mode: folderMode })
  const draft = `${path}.${process.pid}.new`
  const fd = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(fd, text)
    fsyncSync(fd)
    closeSync(fd)
    if (gid !== undefined) chownSync(draft, 0, gid)
    chmodSync(draft, mode)
    if (tryLink(draft, path)) return { kind: 'written' }
    if (!replaces) return { kind: 'exists' }
    const copy = `${path}${stamp}`
    linkSync(path, copy)
    renameSync(draft, path)
    return { kind: 'written', copy }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** False where the name is taken. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
