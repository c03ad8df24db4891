/** A terminal that is written over each second, without a flicker and without a dependency. */
import { writeSync } from 'node:fs'

export const EVERY_MS = 1000

/** Shows it in the place of what was shown before. Ends the program where its terminal is gone. */
export function refresh(text: string): void {
  try {
    writeSync(1, screenOf(text, process.stdout.rows))
  } catch {
    process.exit(0)
  }
}

/**
 * The cursor goes to the top, line goes over line, and what is left of old ones is cleared. `rows` of the terminal: what does not
 * fit is counted; 0 or undefined: the terminal does not know its size.
 */
export function screenOf(text: string, rows: number | undefined): string {
  const lines = text.split('\n')
  const room = rows === undefined || rows < 3 ? Number.POSITIVE_INFINITY : rows - 1
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} lines more`]
  return `\x1b[H${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
