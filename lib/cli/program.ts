/**
 * A program in words: help, command lines that are wrong, and its commands. The same option descriptions as on
 * the client's quick way (plain.ts), put into yargs.
 */
import yargs, { type Argv } from 'yargs'
import { quote } from '../config/error.js'
import { nearestName } from '../config/nearest.js'
import type { Command, World } from './command.js'
import { completionOf } from './completion/command.js'
import { EXIT, type ExitCode } from './exit.js'
import { exitCodeOf, hintOf, reportFailure } from './failure.js'
import type { Arguments, Option } from './options.js'
import { type Overview, overview } from './overview.js'
import { spreadLetters } from './plain.js'
import { UsageError } from './usage.js'
import { version } from './version.js'

/** What a program is, beside its commands. */
export interface Program {
  readonly name: string
  /** One line. */
  readonly describe: string
  readonly commands: readonly Command[]
  /** Under the program's own help: the way of a first day, in its order. Each command's help has its own. */
  readonly examples: Command['examples']
  /** What its own errors mean; undefined: as everywhere. */
  readonly exitCodeOf?: (error: unknown) => ExitCode | undefined
  /** Under each help. */
  readonly exitCodes: string
  /** Its commands, by what they are for. */
  readonly groups: Overview['groups']
}

/** Answers any command line of a program, and gives its exit code. */
export async function runProgram(own: Program, words: readonly string[], world: World): Promise<ExitCode> {
  const program = { ...own, commands: allCommands(own) }
  const [name = '', ...rest] = words
  const command = program.commands.find((candidate) => candidate.name === name)
  const first = program.commands[0]
  try {
    if (isHelp(words)) {
      world.printer.line(overview(program))
      return EXIT.ok
    }
    if (command) {
      refuseValues(rest, command.options)
      refuseDoubled(rest, command.options)
    }
    const { output, parsed } = await parse(program, command ? [name, ...spreadLetters(rest, command.options)] : words)
    if (output !== '') world.printer.line(output)
    else if (command) return await command.run(argumentsOf(command, parsed), world)
    else throw unknownCommand(parsed, program.commands)
    return EXIT.ok
  } catch (error) {
    return reportFailure(error, world.printer, {
      program: program.name,
      json: words.includes('--json') && (command?.options.some((option) => option.name === 'json') ?? true),
      ...(first && { hint: hintOf(program.name, command ?? first, command !== undefined) }),
      exitCode: program.exitCodeOf?.(error) ?? exitCodeOf(error),
    })
  }
}

/** The program's own: the word, too, which nobody need know to be none. */
function isHelp(words: readonly string[]): boolean {
  return words.length === 1 && ['--help', '-h', 'help'].includes(words[0]!)
}

/** A flag with a value but true and false: yargs would take `--wait=5` for `--wait`, and `--wait=no` too. Throws UsageError. */
function refuseValues(words: readonly string[], options: readonly Option[]): void {
  const end = words.indexOf('--')
  for (const word of end < 0 ? words : words.slice(0, end)) {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? []
    if (value === 'true' || value === 'false') continue
    if (options.some((option) => option.name === name && option.value === undefined))
      throw new UsageError(`--${name}=${quote(value!)}: expected --${name} alone, which takes no value`)
  }
}

/** A flag that is said twice, which yargs takes for one. Throws UsageError. */
function refuseDoubled(words: readonly string[], options: readonly Option[]): void {
  const spread = spreadLetters(words, options)
  const end = spread.indexOf('--')
  const said = end < 0 ? spread : spread.slice(0, end)
  for (const { name, alias, value } of options) {
    if (value !== undefined) continue
    const count = said.filter((word) => word === `--${name}` || word === `-${alias}`).length
    if (count > 1) throw new UsageError(`--${name} is here ${count} times: expected once`)
  }
}

/** The program's own commands, and those that each program has. */
export function allCommands({ name, commands }: Program): readonly Command[] {
  return [...commands, completionOf(name, commands)]
}

type Parsed = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] }

/** What yargs makes of it: an output (help, version, completion), or arguments. Throws UsageError. */
async function parse(program: Program, words: readonly string[]): Promise<{ output: string; parsed: Parsed }> {
  let output = ''
  const parsed = await yargsProgram(program).parseAsync([...words], {}, (_error, _parsed, text) => {
    output = text
  })
  return { output, parsed: parsed as Parsed }
}

function yargsProgram({ name, describe, commands, exitCodes }: Program): Argv {
  const program = yargs()
    .scriptName(name)
    .usage(`${name}: ${describe}\n\n${name} COMMAND [options]`)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
    })
    .wrap(100)
    .version(version)
    .help()
    .alias('help', 'h')
    .exitProcess(false)
    .fail((message, error) => {
      throw error instanceof UsageError ? error : new UsageError(inOurWords(message))
    })
  return commands.reduce<Argv>(
    (all, command) =>
      all.command(command.name, command.describe, (words) => explain(words, command, { name, exitCodes })),
    program,
  )
}

/** A command's own help. */
function explain(
  words: Argv,
  { name, positionals, describe, options, examples }: Command,
  program: Pick<Program, 'name' | 'exitCodes'>,
): Argv {
  words
    .usage(`${program.name} ${name} ${positionals}${positionals && ' '}[options]\n\n${describe}`)
    .epilogue(`${inLines(examples)}\n\n${program.exitCodes}`)
  for (const option of options) {
    words.option(option.name, {
      ...(option.alias !== undefined && { alias: option.alias }),
      ...(option.value === undefined ? { type: 'boolean' as const } : { nargs: 1 }),
      describe: option.value === undefined ? option.describe : `${option.value}: ${option.describe}`,
      ...(option.preset !== undefined && { defaultDescription: option.preset }),
    })
  }
  return words
}

/** Each command line unbroken, so that it can be copied; yargs would break it in its column. */
function inLines(examples: Command['examples']): string {
  const lines = examples.map(([line, what]) => (what === '' ? `  ${line}` : `  ${line}\n      ${what}`))
  return ['Examples:', ...lines].join('\n')
}

/** Values that are never empty, by what the help calls them. */
const PLACES: Readonly<Record<string, string>> = { FILE: 'a file', DIR: 'a folder' }

/** What yargs found, in the form of plain.ts. Throws UsageError at an unknown option or a doubled one. */
function argumentsOf({ options }: Command, parsed: Parsed): Arguments {
  const values: Record<string, string | true> = {}
  for (const [key, value] of Object.entries(parsed)) {
    if (key === '_' || key === '$0' || value === undefined || value === false) continue
    if (options.some(({ alias }) => alias === key)) continue
    const option = options.find((candidate) => candidate.name === key)
    if (option === undefined) throw unknownOption(key, options)
    if (Array.isArray(value)) throw new UsageError(`--${key} is here ${value.length} times: expected once`)
    const place = PLACES[option.value ?? '']
    if (value === '' && place !== undefined) throw new UsageError(`--${key} "": expected ${place}`)
    values[key] = value === true ? true : String(value)
  }
  return { positionals: parsed._.slice(1).map(String), values }
}

/** yargs says "Not enough arguments following: user". */
function inOurWords(message: string): string {
  const key = /^Not enough arguments following: (.+)$/.exec(message)?.[1]
  return key === undefined ? message : `${dashed(key)}: expected a value behind it`
}

function unknownOption(key: string, options: readonly Option[]): UsageError {
  const known = options.map(({ name }) => name)
  const nearest = key.length > 1 ? nearestName(key, known) : undefined
  const guess = nearest === undefined ? '' : `: did you mean --${nearest}?`
  return new UsageError(`${dashed(key)} is no option${guess}`)
}

function dashed(key: string): string {
  return key.length === 1 ? `-${key}` : `--${key}`
}

function unknownCommand({ _: [word], $0: _name, ...options }: Parsed, commands: readonly Command[]): UsageError {
  const names = commands.map(({ name }) => name)
  const option = Object.keys(options).find((key) => !['help', 'h', 'version'].includes(key))
  if (word === undefined && option !== undefined)
    return new UsageError(`${dashed(option)} without a command: expected one of ${names.join(', ')}`)
  if (word === undefined) return new UsageError(`no command: expected ${names.join(', ')}`)
  const nearest = nearestName(String(word), names)
  const hint = nearest === undefined ? `expected ${names.join(', ')}` : `did you mean ${nearest}?`
  return new UsageError(`${quote(String(word))} is no command: ${hint}`)
}
