/** What a program says, and which exit code it ends with, when something throws. */

import { KnockError } from '../client/error.js'
import { ConfigError } from '../config/error.js'
import type { Command } from './command.js'
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

/** Where more is said, and one right line. */
export interface Hint {
  readonly help: string
  readonly example?: string
}

/** The hint of a command; without one (no such command) of the program, by its first. */
export function hintOf(program: string, command: Pick<Command, 'name' | 'examples'>, known = true): Hint {
  const help = known ? `${program} ${command.name} --help` : `${program} --help`
  const example = command.examples[0]?.[0]
  return { help, ...(example !== undefined && { example }) }
}

/** Behind a message: a right line only where it does not say one itself, as `…: postern knock gate 22`. */
function inBrackets({ help, example }: Hint, message: string): string {
  const isSaid = example === undefined || message.includes(example) || /: posternd? [a-z]/.test(message)
  return isSaid ? ` (${help})` : ` (${help}; for example: ${example})`
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
  }: { program: string; json: boolean; hint?: Hint; exitCode?: ExitCode },
): ExitCode {
  const { message, code } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) }
  if (json) printer.line(JSON.stringify({ error: { code: code ?? 'unexpected', message, exitCode } }))
  else printer.error(`${program}: ${message}${exitCode === EXIT.usage && hint ? inBrackets(hint, message) : ''}`)
  return exitCode
}
