/**
 * The description of a command's options. One description feeds both the small parser of plain.ts, which a knock goes
 * through, and yargs in words.ts, which explains and completes.
 */
export interface Option {
  /** Without dashes: `key-file`. */
  readonly name: string
  /** One letter: `u`. */
  readonly alias?: string
  /** The name of its value in the help; none: a flag. */
  readonly value?: string
  readonly describe: string
  /** All values that there are, where they are few: a shell offers them. */
  readonly choices?: readonly string[]
  /** Said in the help; what an absent option means. */
  readonly preset?: string
}

/** A command line split up: raw text, nothing judged yet. Flags that were given are `true`. */
export interface Arguments {
  readonly positionals: readonly string[]
  readonly values: Readonly<Record<string, string | true>>
}

/** The text of an option with a value, or undefined where it was not given. */
export function textOf(args: Arguments, name: string): string | undefined {
  const value = args.values[name]
  return typeof value === 'string' ? value : undefined
}

/** Whether a flag was given. */
export function isGiven(args: Arguments, name: string): boolean {
  return args.values[name] !== undefined
}
