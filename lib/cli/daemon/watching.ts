/** A terminal that is written over each second, without a flicker and without a dependency. */
import { writeSync } from 'node:fs'

export const EVERY_MS = 1000

/** Puts the cursor to the top, writes line over line, and clears what is left of the old ones. Never throws. */
export function refresh(text: string): void {
  const lines = text.split('\n').map((line) => `${line}\x1b[K`)
  const rows = process.stdout.rows ?? lines.length
  const shown =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} lines more\x1b[K`]
  try {
    writeSync(1, `\x1b[H${shown.join('\n')}\n\x1b[J`)
  } catch {
    process.exit(0)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
