/**
 * The salts' file, `salts`: 16 bytes of header, then records of 16 bytes, big-endian, each checked by itself, so that damage
 * costs what is damaged and no more. Appended to, never fsynced on the way: a kill loses nothing, a power cut the newest.
 * Specification: docs/PROTOCOL.md, "The salts".
 *
 *     header   "postern salts 1" and a line feed
 *     record   0 u32 user | 4 salt (8) | 12 u32 CRC-32 of bytes 0–11
 */
import { crc32 } from 'node:zlib'
import { type AppendFile, type Directory, isMissing } from './directory.js'
import { ReplayError, reasonOf } from './error.js'
import { writeWhole } from './segment.js'

export const SALT_FILE = 'salts'
export const SALT_RECORD_BYTES = 16
const HEADER = Buffer.from('postern salts 1\n', 'latin1')

export interface SaltRecord {
  readonly user: number
  readonly high: number
  readonly low: number
}

/** What a file's bytes held, and what of them could not be read. */
export interface SaltsRead {
  readonly records: number
  readonly damaged: number
  /** The sentence for the log where something is wrong. */
  readonly why?: string
}

/** Writes a record over 16 bytes at this place. */
export function writeSaltRecord(bytes: Buffer, offset: number, { user, high, low }: SaltRecord): void {
  bytes.writeUInt32BE(user, offset)
  bytes.writeUInt32BE(high, offset + 4)
  bytes.writeUInt32BE(low, offset + 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(offset, offset + 12)), offset + 12)
}

/** A file that has nothing but its header yet. Throws what the directory throws. */
export function createSaltFile(directory: Directory, name: string): AppendFile {
  const file = directory.create(name)
  try {
    writeWhole(file, HEADER)
  } catch (error) {
    file.close()
    throw error
  }
  return file
}

/** Hands over every record that is whole. Throws ReplayError `salts` where the file is there and cannot be read. */
export function readSalts(directory: Directory, note: (record: SaltRecord) => void): SaltsRead {
  let content: Uint8Array
  try {
    content = directory.read(SALT_FILE)
  } catch (error) {
    if (isMissing(error)) return { records: 0, damaged: 0 }
    throw new ReplayError('salts', `salts ${directory.path}/${SALT_FILE}: ${reasonOf(error)}`, error)
  }
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  let damaged = 0
  const end = bytes.length - (bytes.length % SALT_RECORD_BYTES)
  for (let offset = HEADER.length; offset < end; offset += SALT_RECORD_BYTES) {
    if (crc32(bytes.subarray(offset, offset + 12)) !== bytes.readUInt32BE(offset + 12)) damaged++
    else
      note({
        user: bytes.readUInt32BE(offset),
        high: bytes.readUInt32BE(offset + 4),
        low: bytes.readUInt32BE(offset + 8),
      })
  }
  const wrong: string[] = []
  if (bytes.length > 0 && !bytes.subarray(0, HEADER.length).equals(HEADER))
    wrong.push('its header is not that of version 1')
  if (damaged > 0) wrong.push(`${damaged} records are damaged`)
  if (end < bytes.length) wrong.push('its last record is cut short')
  const records = Math.max(0, end / SALT_RECORD_BYTES - 1)
  const why = `salts ${directory.path}/${SALT_FILE}: ${wrong.join(', ')}: the KNOCKs that they belonged to get a CHALLENGE once more`
  return { records, damaged: damaged + (end < bytes.length ? 1 : 0), ...(wrong.length > 0 && { why }) }
}

/** The file for appending, which ends with a whole record. Undoes what a full disk or a kill left of one. */
export class SaltFile {
  readonly #file: AppendFile
  #records: number

  /** Takes over a file that holds so many records and no part of one. */
  constructor(file: AppendFile, records: number) {
    this.#file = file
    this.#records = records
  }

  /** Goes on with what is there, or with a new file. Throws what the directory throws. */
  static open(directory: Directory): SaltFile {
    let file: AppendFile
    try {
      file = directory.append(SALT_FILE)
    } catch (error) {
      if (!isMissing(error)) throw error
      return new SaltFile(createSaltFile(directory, SALT_FILE), 0)
    }
    try {
      let length = file.length()
      if (length < HEADER.length) {
        if (length > 0) file.truncate(0)
        writeWhole(file, HEADER)
        length = HEADER.length
      }
      const over = length % SALT_RECORD_BYTES
      if (over > 0) file.truncate(length - over)
      return new SaltFile(file, (length - over) / SALT_RECORD_BYTES - 1)
    } catch (error) {
      file.close()
      throw error
    }
  }

  get records(): number {
    return this.#records
  }

  /** Appends whole records. Throws where they were not all written; then the file is to be opened anew. */
  append(bytes: Uint8Array): void {
    writeWhole(this.#file, bytes)
    this.#records += bytes.length / SALT_RECORD_BYTES
  }

  close(): void {
    this.#file.close()
  }
}
