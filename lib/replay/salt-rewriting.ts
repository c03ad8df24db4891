/**
 * Writes the salts that still count into a file of their own and puts it in the old one's place: some records with each note,
 * so that no note waits for all of it. Until the rename the old file has everything; a kill before or after it finds one of
 * the two whole.
 */
import type { UserId } from '../wire/ids.js'
import { type AppendFile, type Directory, removeIfThere } from './directory.js'
import { createSaltFile, SALT_FILE, SALT_RECORD_BYTES, writeSaltRecord } from './salt-file.js'
import type { SaltSet } from './salt-set.js'
import { writeWhole } from './segment.js'

export const NEXT_SALT_FILE = 'salts.next'

export class SaltRewriting {
  readonly #directory: Directory
  readonly #file: AppendFile
  /** Whose salts are not all copied yet; the last of them is at work. */
  readonly #waiting: [UserId, SaltSet][]
  readonly #waitingUsers: Set<UserId>
  readonly #stepRecords: number
  readonly #bytes: Buffer
  /** Number of the next salt to copy. */
  #next = 0
  #records = 0

  /** Throws what the directory throws. */
  constructor(directory: Directory, sets: ReadonlyMap<UserId, SaltSet>, stepRecords: number) {
    this.#directory = directory
    this.#stepRecords = stepRecords
    this.#bytes = Buffer.alloc(stepRecords * SALT_RECORD_BYTES)
    removeIfThere(directory, NEXT_SALT_FILE)
    this.#file = createSaltFile(directory, NEXT_SALT_FILE)
    this.#waiting = [...sets]
    this.#waitingUsers = new Set(sets.keys())
  }

  get file(): AppendFile {
    return this.#file
  }

  get records(): number {
    return this.#records
  }

  /** A salt was noted meanwhile; `record` is what the old file got. Throws what the file throws. */
  follow(user: UserId, record: Uint8Array): void {
    if (this.#waitingUsers.has(user)) return
    writeWhole(this.#file, record)
    this.#records++
  }

  /** Copies some more. True: all of it is there, under its own name. Throws what the directory throws. */
  step(): boolean {
    let count = 0
    while (count < this.#stepRecords && this.#waiting.length > 0) {
      const [user, set] = this.#waiting.at(-1)!
      this.#next = Math.max(this.#next, set.first)
      if (this.#next < set.next) {
        writeSaltRecord(this.#bytes, count * SALT_RECORD_BYTES, { user, ...set.at(this.#next) })
        this.#next++
        count++
      } else {
        this.#waiting.pop()
        this.#waitingUsers.delete(user)
        this.#next = 0
      }
    }
    writeWhole(this.#file, this.#bytes.subarray(0, count * SALT_RECORD_BYTES))
    this.#records += count
    if (this.#waiting.length > 0) return false
    // A name for good must not come to stand for bytes that a power cut takes: the one fsync, once for as many knocks.
    this.#file.sync()
    this.#directory.rename(NEXT_SALT_FILE, SALT_FILE)
    return true
  }

  /** Gives up. Never throws: what is left of it is removed when the next one begins. */
  abandon(): void {
    try {
      this.#file.close()
      removeIfThere(this.#directory, NEXT_SALT_FILE)
    } catch {
      // The next beginning tries again, and says what is wrong.
    }
  }
}
