/**
 * Small files in folders that are the monitor's own, which root reads too: at boot, ahead of the network. A monitor that was
 * taken over may have put anything there, so no link is followed, and nothing is waited for or read without an end.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

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
