/** The user's own configuration of ssh: read and written with care, for whoever breaks it cannot log in anywhere. */
import { lstatSync, readFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../config/error.js'
import { writeFileOnce } from '../config/write-file.js'
import { UsageError } from './usage.js'

export interface SshFile {
  readonly path: string
  readonly text: string
  readonly mode: number
  readonly isThere: boolean
}

/** Where it is. Throws UsageError where the environment names no home. */
export function sshFilePath(env: Readonly<Record<string, string | undefined>>): string {
  const home = env['HOME'] ?? env['USERPROFILE']
  if (!home) throw new UsageError('HOME is not set: name the file by --file FILE')
  return join(home, '.ssh', 'config')
}

/**
 * What is there; nothing is an empty file to be made with mode 600. Throws ConfigError `permission` where it is somebody else's
 * or no plain file: a link is not replaced, nor is what it leads to written without the user's having named it.
 */
export function readSshFile(path: string, uid: number | undefined = process.geteuid?.()): SshFile {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return { path, text: '', mode: 0o600, isThere: false }
  const why = refusalOf(stat, uid)
  if (why !== undefined) throw new ConfigError([{ file: path, line: 0, message: why }], 'permission')
  return { path, text: readFileSync(path, 'utf8'), mode: stat.mode & 0o777, isThere: true }
}

function refusalOf(stat: Stats, uid: number | undefined): string | undefined {
  if (stat.isSymbolicLink()) return 'it is a symbolic link: name the file that it leads to by --file FILE'
  if (!stat.isFile()) return 'expected a plain file'
  if (uid !== undefined && stat.uid !== uid)
    return `it belongs to user ${stat.uid}, and this is user ${uid}: run this as its owner`
  // ssh itself refuses such a file.
  if ((stat.mode & 0o022) !== 0) return 'others can write it, so ssh refuses it: chmod go-w it'
  return undefined
}

/** Writes it anew, whole or not at all, with its own mode; the path of the copy of what was there. */
export function writeSshFile({ path, mode, isThere }: SshFile, text: string, nowMs: number): string | undefined {
  // No colons: not every file system takes them.
  const stamp = `.${new Date(nowMs).toISOString().replace(/:/g, '-')}`
  const done = writeFileOnce(path, text, { mode, folderMode: 0o700, replaces: isThere, stamp })
  if (done.kind === 'exists') throw new UsageError(`${path} was made by somebody else this moment: try again`)
  return done.copy
}
