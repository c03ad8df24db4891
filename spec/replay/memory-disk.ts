/**
 * A directory in memory on which a process can be killed between any two system calls, the power be cut, and calls fail.
 * A kill keeps all that was done; a power cut keeps what was synced and, of the rest, what the spec says.
 */
import type { AppendFile, Directory } from '../../lib/replay/directory.js'

interface Inode {
  bytes: Buffer
  synced: Buffer
  names: number
}

type NameChange = { readonly name: string; readonly inode: Inode | undefined }

/** What a call does instead of its work. `short`: half of the bytes are written. */
export type Fault = 'enospc' | 'short' | 'eio'

export class Killed extends Error {}

export class MemoryDisk {
  readonly files = new Map<string, Inode>()
  #syncedFiles = new Map<string, Inode>()
  #changes: NameChange[] = []

  /** The directory as one process sees it. `calls` counts its system calls. */
  mount(): MountedDisk {
    return new MountedDisk(this)
  }

  /** As if the machine had been switched off: so many of the unsynced name changes are kept, unsynced bytes as said. */
  cutPower(namesKept: number, unsynced: 'lost' | 'kept' | 'zeros'): void {
    const names = new Map(this.#syncedFiles)
    for (const { name, inode } of this.#changes.slice(0, namesKept)) {
      if (inode === undefined) names.delete(name)
      else names.set(name, inode)
    }
    this.files.clear()
    for (const [name, inode] of names) {
      if (unsynced === 'zeros') inode.bytes.fill(0, inode.synced.length)
      if (unsynced === 'lost') inode.bytes = Buffer.from(inode.synced)
      inode.synced = Buffer.from(inode.bytes)
      inode.names = 1
      this.files.set(name, inode)
    }
    this.#syncedFiles = new Map(this.files)
    this.#changes = []
  }

  get unsyncedNames(): number {
    return this.#changes.length
  }

  put(name: string, bytes: Uint8Array): void {
    this.set(name, { bytes: Buffer.from(bytes), synced: Buffer.from(bytes), names: 1 })
  }

  set(name: string, inode: Inode): void {
    this.files.set(name, inode)
    this.#changes.push({ name, inode })
  }

  delete(name: string): void {
    this.files.delete(name)
    this.#changes.push({ name, inode: undefined })
  }

  syncNames(): void {
    this.#syncedFiles = new Map(this.files)
    this.#changes = []
  }

  /** A copy of the files' bytes, to go back to. */
  snapshot(): Map<string, Buffer> {
    return new Map([...this.files].map(([name, inode]) => [name, Buffer.from(inode.bytes)]))
  }

  restore(snapshot: ReadonlyMap<string, Uint8Array>): void {
    this.files.clear()
    for (const [name, bytes] of snapshot) this.put(name, bytes)
    this.syncNames()
  }
}

export class MountedDisk implements Directory {
  readonly path = '/run/journal'
  calls = 0
  /** The process is killed at this call, before or after its work. */
  killAt: { readonly call: number; readonly after: boolean } | undefined
  /** What call number n does instead. */
  fault: (call: number, operation: string) => Fault | undefined = () => undefined
  isKilled = false
  readonly #disk: MemoryDisk

  constructor(disk: MemoryDisk) {
    this.#disk = disk
  }

  list(): string[] {
    return this.#call('list', () => [...this.#disk.files.keys()])
  }

  read(name: string): Uint8Array {
    return this.#call('read', () => Buffer.from(this.#existing(name).bytes))
  }

  create(name: string): AppendFile {
    return this.#call('create', () => {
      if (this.#disk.files.has(name)) throw systemError('EEXIST', name)
      const inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), names: 1 }
      this.#disk.set(name, inode)
      return this.#file(inode)
    })
  }

  append(name: string): AppendFile {
    return this.#call('append', () => this.#file(this.#existing(name)))
  }

  link(from: string, to: string): void {
    this.#call('link', () => {
      const inode = this.#existing(from)
      if (this.#disk.files.has(to)) throw systemError('EEXIST', to)
      inode.names++
      this.#disk.set(to, inode)
    })
  }

  rename(from: string, to: string): void {
    this.#call('rename', () => {
      const inode = this.#existing(from)
      const gone = this.#disk.files.get(to)
      if (gone !== undefined) gone.names--
      this.#disk.set(to, inode)
      this.#disk.delete(from)
    })
  }

  remove(name: string): void {
    this.#call('remove', () => {
      this.#existing(name).names--
      this.#disk.delete(name)
    })
  }

  sync(): void {
    this.#call('sync directory', () => this.#disk.syncNames())
  }

  #existing(name: string): Inode {
    const inode = this.#disk.files.get(name)
    if (inode === undefined) throw systemError('ENOENT', name)
    return inode
  }

  #file(inode: Inode): AppendFile {
    return {
      write: (bytes) =>
        this.#call(
          'write',
          () => {
            inode.bytes = Buffer.concat([inode.bytes, bytes])
            return bytes.length
          },
          () => {
            inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, bytes.length >> 1)])
            return bytes.length >> 1
          },
        ),
      length: () => this.#call('length', () => (inode.names === 0 ? -1 : inode.bytes.length)),
      truncate: (length) =>
        this.#call('truncate', () => {
          inode.bytes = Buffer.from(inode.bytes.subarray(0, length))
        }),
      sync: () =>
        this.#call('sync', () => {
          inode.synced = Buffer.from(inode.bytes)
        }),
      close: () => {},
    }
  }

  #call<T>(operation: string, work: () => T, half?: () => T): T {
    if (this.isKilled) throw new Killed()
    const call = this.calls++
    if (this.killAt?.call === call && !this.killAt.after) this.#kill()
    const fault = this.fault(call, operation)
    if (fault === 'enospc' || fault === 'eio') throw systemError(fault.toUpperCase(), operation)
    const result = fault === 'short' && half !== undefined ? half() : work()
    if (this.killAt?.call === call) this.#kill()
    return result
  }

  #kill(): never {
    this.isKilled = true
    throw new Killed()
  }
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
