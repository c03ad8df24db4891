/**
 * The mark of a machine that goes to sleep, sleeps, or has not been said to be awake again. It lies in the run directory, which
 * is root's, and holds the monotonic time at which it was left: so a monitor that is started meanwhile knows too.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { readMonitorFile, removeMonitorFile, StateError, writeMonitorFile } from './monitor-file.js'

/** Below the run directory. */
export const ASLEEP_MARK = 'asleep'

/**
 * So long may a machine be awake with the mark, ms: between the word and the sleep, and where it wakes only to hibernate. Then
 * the word that it is awake got lost. The monotonic clock stands still while it sleeps.
 */
export const LONGEST_AWAKE_MS = 600_000

/** `overdue`: there is one, and it counts no more. */
export type Mark = 'none' | 'asleep' | 'overdue'

/** Throws StateError. */
export function leaveAsleepMark(path: string, monoMs: number): void {
  try {
    // For the daemon of another user to enter, where none has run yet.
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  } catch (error) {
    throw new StateError(path, error)
  }
  writeMonitorFile(path, `${Math.floor(monoMs)}\n`, 0o644)
}

/** Throws what the file system throws. */
export function removeAsleepMark(path: string): void {
  removeMonitorFile(path)
}

/** What cannot be read counts as one: then there is no instant knock, and that is all. */
export function readAsleepMark(path: string, monoMs: number): Mark {
  try {
    const leftMs = Number(readMonitorFile(path))
    return Math.abs(monoMs - leftMs) > LONGEST_AWAKE_MS ? 'overdue' : 'asleep'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'asleep'
  }
}
