/** A real directory: made 0700, ours, and writable by nobody else. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { AppendFile, Directory } from './directory.js'
import { ReplayError, reasonOf } from './error.js'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/** The directory, made where there is none. Throws ReplayError `directory` where others could write to it. */
export function openDirectory(path: string): Directory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ReplayError('directory', `directory ${path}: ${reasonOf(error)}`, error)
  }
  const stat = lstatSync(path)
  if (!stat.isDirectory()) throw new ReplayError('directory', `${path}: expected a directory, no link or file`)
  if (stat.uid !== process.geteuid!()) {
    throw new ReplayError('directory', `directory ${path}: owner ${stat.uid}: expected ${process.geteuid!()}`)
  }
  if ((stat.mode & 0o022) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
    throw new ReplayError('directory', `directory ${path}: mode ${mode}: expected 0700, writable by its owner only`)
  }
  const at = (name: string) => join(path, name)
  return {
    path,
    list: () => readdirSync(path),
    read: (name) => readWhole(at(name)),
    create: (name) => new DiskFile(openSync(at(name), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)),
    append: (name) => new DiskFile(openSync(at(name), O_WRONLY | O_APPEND | O_NOFOLLOW)),
    link: (from, to) => linkSync(at(from), at(to)),
    rename: (from, to) => renameSync(at(from), at(to)),
    remove: (name) => unlinkSync(at(name)),
    sync: () => {
      const fd = openSync(path, O_RDONLY | O_DIRECTORY)
      try {
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
  }
}

function readWhole(file: string): Uint8Array {
  const fd = openSync(file, O_RDONLY | O_NOFOLLOW)
  try {
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

class DiskFile implements AppendFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  write(bytes: Uint8Array): number {
    return writeSync(this.#fd, bytes)
  }

  length(): number {
    const stat = fstatSync(this.#fd)
    return stat.nlink === 0 ? -1 : stat.size
  }

  truncate(length: number): void {
    ftruncateSync(this.#fd, length)
  }

  sync(): void {
    fsyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
