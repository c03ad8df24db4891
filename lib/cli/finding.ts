/** What a doctor found, on either side: one sentence, and the command that mends it. */
import { EXIT, type ExitCode } from './exit.js'
import type { Printer } from './print.js'

export interface Finding {
  /** A stable word. */
  readonly code: string
  readonly sentence: string
  /** A command line to give as it stands. */
  readonly mend: string
}

/** What was looked at: what is wrong, and what is worth a word although nothing is. */
export interface Report {
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
}

/** Prints it, the most likely cause first. 0: nothing wrong was found; 1: something was. */
export function tellReport({ findings, notes }: Report, fine: string, isJson: boolean, printer: Printer): ExitCode {
  if (isJson) printer.line(JSON.stringify({ findings, notes }))
  else {
    for (const { sentence, mend } of findings) printer.line(`${oneLine(sentence)}\n    ${oneLine(mend)}`)
    if (findings.length === 0) printer.line(fine)
    for (const note of notes) printer.line(`note: ${oneLine(note)}`)
  }
  return findings.length === 0 ? EXIT.ok : EXIT.failed
}

/** What a ruleset, a log or a name server said cannot steer a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
