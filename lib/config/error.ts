/**
 * What is wrong with a configuration, collected: all of it at once, each with its line, never a key. Pure.
 */

export interface Problem {
  readonly file: string
  /** 1-based; 0 where the file as a whole is meant. */
  readonly line: number
  readonly message: string
}

/** `config`: what a file says; `permission`: who may read or write it; `missing`: it is not there or cannot be read. */
export type ConfigErrorCode = 'config' | 'permission' | 'missing'

/** A configuration that was not taken. The message has a line for each problem: `FILE:LINE: what was read: expected what`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[], code: ConfigErrorCode = 'config', options?: ErrorOptions) {
    super(problems.map(located).join('\n'), options)
    this.code = code
    this.problems = problems
  }
}

/** Collects what is to be said of one file while it is read, so that one mistake does not hide the next. */
export class Findings {
  readonly file: string
  readonly #problems: Problem[] = []
  readonly #warnings: Problem[] = []

  constructor(file: string) {
    this.file = file
  }

  /** `line` is 1-based, 0 for the whole file. */
  refuse(line: number, message: string): void {
    this.#problems.push({ file: this.file, line, message })
  }

  warn(line: number, message: string): void {
    this.#warnings.push({ file: this.file, line, message })
  }

  /** The warnings as sentences, in the order of the file. Throws ConfigError with all problems where there is one. */
  finish(): string[] {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems.toSorted((a, b) => a.line - b.line))
    return this.#warnings.toSorted((a, b) => a.line - b.line).map(located)
  }
}

function located({ file, line, message }: Problem): string {
  return line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`
}

const SHOWN_CHARACTERS = 60
/** A key that slipped into the wrong line must not be printed: so many hex digits or letters are shown as their number. */
const HIDDEN_HEX_DIGITS = 32
const HIDDEN_RUN = /[0-9A-Za-z]{20,}/g

/** Foreign text as a message shows it: in quotes, control characters escaped, short, and nothing that could be a key. */
export function quote(text: string): string {
  if (text.replace(/[^0-9a-fA-F]/g, '').length >= HIDDEN_HEX_DIGITS) return `(${text.length} characters)`
  const shown = text.replace(HIDDEN_RUN, (run) => `(${run.length} characters)`)
  return JSON.stringify(shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown)
}
