/** Salts for specs, told apart by one number, on a disk in memory; few of them, so that the file is rewritten soon. */
import { openSalts, type Salts, type SaltsParts } from '../../lib/replay/salts.js'
import type { MountedDisk } from './memory-disk.js'

export const PER_USER = 40

export function saltOf(number: number): Uint8Array {
  const salt = Buffer.alloc(8)
  salt.writeUInt32BE(number % 3, 0)
  salt.writeUInt32BE(number, 4)
  return salt
}

export function openOn(directory: MountedDisk, more: Partial<SaltsParts> = {}): Salts {
  return openSalts({ directory, seed: 0x5eed, perUser: PER_USER, slackRecords: 8, stepRecords: 5, ...more })
}
