/**
 * One directory as journal and horizon see it: the fewest calls, each of them one system call (or a read of a whole file),
 * so that a spec can stop between any two. Every call throws what the system says; names have no slash.
 */
export interface Directory {
  /** For sentences about it. */
  readonly path: string
  list(): string[]
  read(name: string): Uint8Array
  /** A new file, mode 0600, for appending. Throws EEXIST where there is one. */
  create(name: string): AppendFile
  append(name: string): AppendFile
  /** A second name; throws EEXIST where it is taken. */
  link(from: string, to: string): void
  /** Another name; what had it is gone. */
  rename(from: string, to: string): void
  remove(name: string): void
  /** fsync: names made, moved and removed so far outlive a power cut. */
  sync(): void
}

export interface AppendFile {
  /** How many of the bytes were written at the end; may be fewer than given. */
  write(bytes: Uint8Array): number
  /** Its length in bytes, or −1 where it has no name any more. */
  length(): number
  truncate(length: number): void
  /** fsync: what was written outlives a power cut. */
  sync(): void
  close(): void
}

/** Whether a call failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

/** Removes a file that may be gone already. */
export function removeIfThere(directory: Directory, name: string): void {
  try {
    directory.remove(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
