/** Which boot this is, as the kernel says. */
import { readFileSync } from 'node:fs'
import { ReplayError, reasonOf } from './error.js'

/** The 16 bytes of the running kernel's boot id (random(4)). Throws ReplayError `boot-id` where there is none. */
export function readBootId(file = '/proc/sys/kernel/random/boot_id'): Uint8Array {
  let text: string
  try {
    text = readFileSync(file, 'latin1').trim()
  } catch (error) {
    throw new ReplayError('boot-id', `boot id: ${reasonOf(error)}`, error)
  }
  const digits = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new ReplayError('boot-id', `${file}: "${text}": expected a UUID`)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
