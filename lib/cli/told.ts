/** What a knock has to tell when it is over, whatever protocol it was, and how it is printed. */
import { EXIT, type ExitCode } from './exit.js'
import { type Arguments, isGiven } from './options.js'
import type { Printer } from './print.js'

export interface Told {
  readonly isDone: boolean
  /** Sentences of what went well. */
  readonly success: readonly string[]
  /** The sentence of what did not; only where it is not done. */
  readonly failure: string
  /** What deserves a word, but not where quiet is asked for and all went well. */
  readonly warnings: readonly string[]
  /** What deserves a word although it went well in the end. */
  readonly alarms: readonly string[]
  /** Of `auto`: what postern's own datagram had left shut, letmein's exchange opened. */
  readonly neededExchange?: boolean
  /** The one object of --json. */
  readonly json: object
}

/** Prints it as --json and --quiet say, and gives the exit code. */
export function tell(told: Told, args: Arguments, printer: Printer): ExitCode {
  const { isDone } = told
  if (isGiven(args, 'json')) printer.line(JSON.stringify(told.json))
  else {
    const quiet = isGiven(args, 'quiet') && isDone
    const warnings = quiet ? told.alarms : [...told.warnings, ...told.alarms]
    for (const warning of warnings) printer.error(`postern: warning: ${warning}`)
    if (!quiet) for (const line of told.success) printer.line(line)
    if (!isDone) printer.error(`postern: ${told.failure}`)
  }
  return isDone ? EXIT.ok : EXIT.failed
}
