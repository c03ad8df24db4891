/**
 * The salts of all letmein KNOCKs and REVOKEs whose auth was right: they carry no time, so nothing else tells a recorded one
 * from a new one. Kept in memory and on disk, oldest out first: a million for each user, within a bound of bytes for all.
 * What was pushed out gets one CHALLENGE once more, never a port. Specification: docs/PROTOCOL.md, "The salts".
 *
 * Bounds: memory, `bytes` and 256 for each user; the file, 16 bytes a record, twice what counts and a little (four times
 * where it cannot be rewritten; from there on nothing is `new`).
 */
import type { UserId } from '../wire/ids.js'
import { type Directory, removeIfThere } from './directory.js'
import { ReplayError, reasonOf } from './error.js'
import {
  readSalts,
  SALT_RECORD_BYTES,
  SaltFile,
  type SaltRecord,
  type SaltsRead,
  writeSaltRecord,
} from './salt-file.js'
import { NEXT_SALT_FILE, SaltRewriting } from './salt-rewriting.js'
import { LEAST_PLACES, SaltSet, setBytes } from './salt-set.js'
import { SHARE_OF_FREE } from './window.js'

export const SALTS_PER_USER = 1_000_000
/** Memory for all users' salts: room for four million. */
export const SALTS_BYTES = 64 * 2 ** 20
/** No file is rewritten for fewer records than these. */
const SLACK_RECORDS = 1024
/** 4 KiB. */
const STEP_RECORDS = 256

export interface SaltsParts {
  /** Where nobody else writes. On disk, not on a tmpfs: salts are to outlive a boot. */
  readonly directory: Directory
  /** A random u32, for the hash index. */
  readonly seed: number
  readonly perUser?: number
  readonly bytes?: number
  /** Below so many records nothing is rewritten; 1,024 where it is not said. */
  readonly slackRecords?: number
  /** Records that one note copies into a new file; 256 where it is not said. */
  readonly stepRecords?: number
}

export interface SaltsStatus {
  readonly users: number
  readonly salts: number
  readonly bytes: number
  readonly fileRecords: number
  /** What was found in the file at the start. */
  readonly found: SaltsRead
  /** The sentence for the log where the file could not be written or rewritten lately. */
  readonly why?: string
}

/** The salts as their file has them. Throws ReplayError `salts` where the file is there and cannot be read or appended to. */
export function openSalts(parts: SaltsParts): Salts {
  return new Salts(parts)
}

export class Salts {
  readonly #directory: Directory
  readonly #seed: number
  readonly #perUser: number
  readonly #most: number
  readonly #slack: number
  readonly #step: number
  readonly #found: SaltsRead
  readonly #sets = new Map<UserId, SaltSet>()
  readonly #record = Buffer.alloc(SALT_RECORD_BYTES)
  #file: SaltFile | undefined
  #rewriting: SaltRewriting | undefined
  /** The file has less than is remembered, or is damaged: to be rewritten however long it is. */
  #isLacking = false
  /** So many notes until a rewriting is tried again. */
  #patience = 0
  #count = 0
  #bytes = 0
  #why: string | undefined

  /** Use `openSalts`. */
  constructor(parts: SaltsParts) {
    this.#directory = parts.directory
    this.#seed = parts.seed
    this.#perUser = parts.perUser ?? SALTS_PER_USER
    this.#most = parts.bytes ?? SALTS_BYTES
    this.#slack = parts.slackRecords ?? SLACK_RECORDS
    this.#step = parts.stepRecords ?? STEP_RECORDS
    this.#found = readSalts(parts.directory, ({ user, high, low }) => {
      const set = this.#setOf(user)
      if (!set.has(high, low)) this.#remember(set, high, low)
    })
    try {
      removeIfThere(parts.directory, NEXT_SALT_FILE)
      this.#file = SaltFile.open(parts.directory)
    } catch (error) {
      throw new ReplayError('salts', `salts ${parts.directory.path}: ${reasonOf(error)}`, error)
    }
    this.#isLacking = this.#found.why !== undefined
  }

  /**
   * Whether this user's salt (8 bytes) is new. `new`: it is in the file; `failed`: it could not be put there, and is
   * remembered by this process alone. Either way it is `seen` from here on. O(1) over time. Never throws.
   */
  note(user: UserId, salt: Uint8Array): 'new' | 'seen' | 'failed' {
    const [high, low] = [word(salt, 0), word(salt, 4)]
    const set = this.#setOf(user)
    if (set.has(high, low)) return 'seen'
    this.#rewriteSome()
    const isWritten = this.#append({ user, high, low })
    this.#remember(set, high, low)
    if (!isWritten) return 'failed'
    this.#follow(user)
    return 'new'
  }

  /** Forgets all other users. Their records go from the file when it is rewritten. */
  retain(users: Iterable<UserId>): void {
    const kept = new Set(users)
    for (const [user, set] of this.#sets) {
      if (kept.has(user)) continue
      this.#sets.delete(user)
      this.#count -= set.size
      this.#bytes -= setBytes(set.places)
      this.#stopRewriting()
    }
  }

  status(): SaltsStatus {
    return {
      users: this.#sets.size,
      salts: this.#count,
      bytes: this.#bytes,
      fileRecords: this.#file?.records ?? 0,
      found: this.#found,
      ...(this.#why !== undefined && { why: this.#why }),
    }
  }

  close(): void {
    this.#stopRewriting()
    this.#file?.close()
  }

  #setOf(user: UserId): SaltSet {
    let set = this.#sets.get(user)
    if (set === undefined) {
      const places = Math.min(LEAST_PLACES, this.#perUser)
      set = new SaltSet(this.#seed, places)
      this.#sets.set(user, set)
      this.#bytes += setBytes(places)
    }
    return set
  }

  #remember(set: SaltSet, high: number, low: number): void {
    if (set.isFull) this.#growIfItMay(set)
    this.#count -= set.size
    set.note(high, low)
    this.#count += set.size
  }

  /** A user may have at most four times what is then still free: k users who fill it leave 1/(4k + 1) for the others. */
  #growIfItMay(set: SaltSet): void {
    const places = Math.min(set.places * 2, this.#perUser)
    const [had, wanted] = [setBytes(set.places), setBytes(places)]
    const free = this.#most - this.#bytes + had - wanted
    if (places === set.places || wanted > SHARE_OF_FREE * free) return
    set.grow(places)
    this.#bytes += wanted - had
  }

  #append(record: SaltRecord): boolean {
    writeSaltRecord(this.#record, 0, record)
    try {
      this.#file ??= this.#reopen()
      // As long as it may get, for it cannot be rewritten: `why` says so already.
      if (this.#file.records > 4 * this.#count + 64 * this.#slack) return false
      this.#file.append(this.#record)
      return true
    } catch (error) {
      // Two files may be what the disk has no room for.
      this.#giveUp(error)
      this.#file?.close()
      this.#file = undefined
      return false
    }
  }

  #reopen(): SaltFile {
    const file = SaltFile.open(this.#directory)
    // Somebody removed it or cut it short; what is remembered goes into it again.
    if (file.records < this.#count) this.#isLacking = true
    this.#why = undefined
    return file
  }

  /** A step of the rewriting that is on, or the beginning of one where the file is twice as long as it needs to be. */
  #rewriteSome(): void {
    if (this.#patience > 0) this.#patience--
    try {
      if (this.#rewriting?.step()) this.#use(this.#rewriting)
      else if (this.#rewriting === undefined && this.#patience === 0 && this.#isWanted)
        this.#rewriting = new SaltRewriting(this.#directory, this.#sets, this.#step)
    } catch (error) {
      this.#giveUp(error)
    }
  }

  get #isWanted(): boolean {
    return this.#isLacking || (this.#file?.records ?? 0) > 2 * this.#count + this.#slack
  }

  #follow(user: UserId): void {
    try {
      this.#rewriting?.follow(user, this.#record)
    } catch (error) {
      this.#giveUp(error)
    }
  }

  #use(rewritten: SaltRewriting): void {
    this.#file?.close()
    this.#file = new SaltFile(rewritten.file, rewritten.records)
    this.#rewriting = undefined
    this.#isLacking = false
    this.#why = undefined
    this.#directory.sync()
  }

  #giveUp(error: unknown): void {
    this.#stopRewriting()
    this.#patience = this.#count + this.#slack
    this.#why = `salts ${this.#directory.path}: ${reasonOf(error)}`
  }

  #stopRewriting(): void {
    this.#rewriting?.abandon()
    this.#rewriting = undefined
  }
}

function word(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0
}
