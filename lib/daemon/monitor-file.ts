/**
 * Small files in folders that are the monitor's own, which root reads too: at boot, ahead of the network. A monitor that was
 * taken over may have put anything there, so no link is followed, and nothing is waited for or read without an end.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from '../replay/error.js'

const MOST_BYTES = 64 << 20

/** The text of a plain file. Throws what the file system throws, and Error where it is none. */
export function readMonitorFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > MOST_BYTES) throw new Error(`${path}: expected a plain file`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** A small file of ours could not be written, for a disk without room mostly. The message names it. */
export class StateError extends Error {
  override readonly name = 'StateError'
  readonly code = 'unwritten'
  readonly path: string

  /** `then`: what else is so, as a sentence's tail. */
  constructor(path: string, cause: unknown, then = '') {
    super(
      `${path}: cannot be written: ${reasonOf(cause)}${then}: expected a disk with room that can be written to (df -h ${dirname(path)})`,
      {
        cause,
      },
    )
    this.path = path
  }
}

/**
 * Writes a plain file, whole or not at all, on disk for good when this returns: at any step a power cut leaves the old text or
 * the new one. Its folder is there already, or `makesFolder`. Throws StateError; the old text is there then.
 */
export function writeMonitorFile(path: string, text: string, mode: number, makesFolder = false): void {
  const draft = `${path}.new`
  try {
    if (makesFolder) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(draft, { force: true })
    writeDraft(draft, text, mode)
    renameSync(draft, path)
    syncFolder(dirname(path))
  } catch (error) {
    throw new StateError(path, error)
  }
}

function writeDraft(draft: string, text: string, mode: number): void {
  const fd = openSync(draft, 'wx', mode)
  try {
    // Whatever the umask: what a unit of root's leaves, with its 077, the monitor has to read.
    fchmodSync(fd, mode)
    writeFileSync(fd, text)
    fsyncSync(fd)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Takes the file away for good, where there is one. Throws what the file system throws. */
export function removeMonitorFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
