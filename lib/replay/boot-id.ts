/** Which boot this is, as the kernel says. */
import { readFileSync } from 'node:fs'
import { ReplayError, reasonOf } from './error.js'

const KERNELS_OWN = '/proc/sys/kernel/random/boot_id'

/**
 * The 16 bytes of this boot's id: what systemd told its unit (`told`, 32 hex digits), else the running kernel's (random(4)). A
 * container has a boot of its own, whose id lies over the kernel's in /proc; a unit with ProtectProc has a /proc of its own, in
 * which it does not. Throws ReplayError `boot-id` where there is none.
 */
export function readBootId(file = KERNELS_OWN, told = process.env['POSTERN_BOOT_ID']): Uint8Array {
  if (told !== undefined && told !== '') return parseBootId(told, 'POSTERN_BOOT_ID')
  let text: string
  try {
    text = readFileSync(file, 'latin1').trim()
  } catch (error) {
    throw new ReplayError('boot-id', `boot id: ${reasonOf(error)}`, error)
  }
  return parseBootId(text, file)
}

function parseBootId(text: string, where: string): Uint8Array {
  const digits = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new ReplayError('boot-id', `${where}: "${text}": expected a UUID`)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
