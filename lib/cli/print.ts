/**
 * Where programs print. Writes go straight to the descriptor: process.stdout costs a client start 2 ms, and a message must
 * be out before process.exit.
 */
import { writeSync } from 'node:fs'

export interface Printer {
  /** A line for whoever reads the result: standard output. */
  readonly line: (text: string) => void
  /** A line about what went wrong or deserves a word: standard error. */
  readonly error: (text: string) => void
}

/** The printer of a real program. */
export const terminal: Printer = {
  line: (text) => void writeAll(1, `${text}\n`),
  error: (text) => void writeAll(2, `${text}\n`),
}

/** A line of what goes on until it is ended: where whoever reads it has gone, the program ends. */
export function lineOrEnd(text: string): void {
  if (!writeAll(1, `${text}\n`)) process.exit(0)
}

/** Writes all of it; a slow reader (EAGAIN) is waited for. False where he has gone (EPIPE), which is his own affair. */
function writeAll(fd: number, text: string): boolean {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false
    }
  }
  return true
}

/** Rows as columns of equal width, two spaces apart; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return rows
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .join('\n')
}
