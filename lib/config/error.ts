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

/** Collects what is to be said of files while they are read, so that one mistake does not hide the next. */
export class Findings {
  readonly file: string
  readonly #all: Collected

  constructor(file: string, all: Collected = { files: [], problems: [], warnings: [] }) {
    this.file = file
    this.#all = all
    if (!all.files.includes(file)) all.files.push(file)
  }

  /** The same collection for another file, which this one names. */
  of(file: string): Findings {
    return new Findings(file, this.#all)
  }

  /** `line` is 1-based, 0 for the whole file. */
  refuse(line: number, message: string): void {
    this.#all.problems.push({ file: this.file, line, message })
  }

  /** What was wrong with a file that could not be taken; the whole is refused with the first such error's code. */
  adopt(error: ConfigError): void {
    this.#all.code ??= error.code
    this.#all.problems.push(...error.problems)
  }

  warn(line: number, message: string): void {
    this.#all.warnings.push({ file: this.file, line, message })
  }

  /** The warnings as sentences, in the order of the files. Throws ConfigError with all problems where there is one. */
  finish(): string[] {
    const { files, problems, warnings, code } = this.#all
    const order = (a: Problem, b: Problem) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line
    if (problems.length > 0) throw new ConfigError(problems.toSorted(order), code)
    return warnings.toSorted(order).map(located)
  }
}

/** What several Findings have in common. */
interface Collected {
  /** In the order in which they were met. */
  readonly files: string[]
  readonly problems: Problem[]
  readonly warnings: Problem[]
  code?: ConfigErrorCode
}

function located({ file, line, message }: Problem): string {
  return line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`
}

const SHOWN_CHARACTERS = 60
/** A key that slipped into the wrong line must not be printed: so many hex digits or letters are shown as their number. */
const HIDDEN_HEX_DIGITS = 32
const HIDDEN_RUN = /[0-9A-Za-z]{20,}/g

/**
 * The name of a line as a message shows it: where `=` or `:` follows it, which is not the form of the file, a key stands in the
 * same word.
 */
export function quoteName(text: string): string {
  const [name] = /^[%#]?[A-Za-z0-9_]*/.exec(text)!
  return quote(name === text ? text : `${name}…`)
}

/** Foreign text as a message shows it: in quotes, control characters escaped, short, and nothing that could be a key. */
export function quote(text: string): string {
  if (text.replace(/[^0-9a-fA-F]/g, '').length >= HIDDEN_HEX_DIGITS) return `(${text.length} characters)`
  const shown = text.replace(HIDDEN_RUN, (run) => `(${run.length} characters)`)
  return JSON.stringify(shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown)
}
