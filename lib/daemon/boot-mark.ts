/**
 * Whether postern was already up in this boot: the kernel's leases of this boot are kept over a restart, those that a saved
 * ruleset brought back to life at boot are not. The mark lies in /run and holds the boot's id.
 */
import { readMonitorFile, writeMonitorFile } from './monitor-file.js'

/** Below the run directory. */
export const BOOT_MARK = 'monitor/boot'

/** True where `path` was written in the boot with this id. Unreadable or absent: false. */
export function hasBootMark(path: string, bootId: string): boolean {
  try {
    return readMonitorFile(path).trim() === bootId
  } catch {
    return false
  }
}

/**
 * Leaves the mark, whole or not at all. Root does it too, in a folder that is the monitor's: a link that lies there is not
 * followed. Throws StateError.
 */
export function leaveBootMark(path: string, bootId: string): void {
  // Before the first start the folder is ours; the starter gives it to the monitor.
  writeMonitorFile(path, `${bootId}\n`, 0o644, true)
}
