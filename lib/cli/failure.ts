/** What a program says, and which exit code it ends with, when something throws. */

import { KnockError } from '../client/error.js'
import { ConfigError } from '../config/error.js'
import { EXIT, type ExitCode } from './exit.js'
import type { Printer } from './print.js'
import { UsageError } from './usage.js'

/** The exit code that an error means (docs/EXIT-CODES.md). */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof ConfigError) return error.code === 'permission' ? EXIT.permission : EXIT.configuration
  if (error instanceof KnockError && error.code === 'option') return EXIT.usage
  return EXIT.failed
}

/**
 * Prints why it did not work, in the program's name, and gives the exit code. With `json`: one object on standard output,
 * `{"error": {"code", "message"}}`. `hint` goes behind the message of a wrong command line.
 */
export function reportFailure(
  error: unknown,
  printer: Printer,
  {
    program,
    json,
    hint,
    exitCode = exitCodeOf(error),
  }: { program: string; json: boolean; hint?: string; exitCode?: ExitCode },
): ExitCode {
  const { message, code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  if (json) printer.line(JSON.stringify({ error: { code: code ?? 'unexpected', message, exitCode } }))
  else printer.error(`${program}: ${message}${exitCode === EXIT.usage && hint ? ` (${hint})` : ''}`)
  return exitCode
}
