/**
 * What `postern import letmein` and `posternd import letmein` have in common: say what would be taken over and what differs,
 * and write a file only where that is asked for.
 */
import { existsSync } from 'node:fs'
import { quote } from '../config/error.js'
import { type WriteChoices, writeFileOnce } from '../config/write-file.js'
import type { World } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { type Arguments, isGiven, type Option, textOf } from './options.js'
import { table } from './print.js'
import { UsageError } from './usage.js'

/** Options of both; `preset`: where the file goes. */
export function importOptions(preset: string): Option[] {
  return [
    { name: 'write', alias: 'w', describe: 'write the file; else nothing is changed' },
    { name: 'output', alias: 'o', value: 'FILE', describe: 'the file to write', preset },
    { name: 'force', describe: 'with --write: over a file that is there, of which a copy is kept' },
    { name: 'print', describe: 'print the file (keys and all) and nothing else' },
  ]
}

export interface Import {
  /** letmein's file. */
  readonly from: string
  readonly to: string
  /** The new file. */
  readonly text: string
  /** Name and value of what is taken over. */
  readonly takes: readonly (readonly [string, string])[]
  /** Sentences: what is not as with letmein. */
  readonly differs: readonly string[]
  readonly warnings: readonly string[]
  /** What to do when the file is there. */
  readonly next: readonly string[]
  readonly file: Omit<WriteChoices, 'replaces' | 'stamp'>
}

/** letmein's file that the words `letmein [FILE]` name. Throws UsageError. */
export function importSource(args: Arguments, usual: string): string {
  const [what, file = usual, more] = args.positionals
  if (what !== 'letmein')
    throw new UsageError(`import ${what === undefined ? 'what?' : quote(what)}: expected import letmein [FILE]`)
  if (more !== undefined || file === '')
    throw new UsageError(`import letmein ${quote(more ?? file)}: expected one file`)
  if (isGiven(args, 'print') && isGiven(args, 'write'))
    throw new UsageError('--print with --write: expected one of them')
  if (isGiven(args, 'force') && !isGiven(args, 'write')) throw new UsageError('--force without --write')
  return file
}

/** Where the new file goes. */
export function importTarget(args: Arguments, usual: string): string {
  const file = textOf(args, 'output') ?? usual
  if (file === '') throw new UsageError('--output "": expected a file')
  return file
}

/** Says it, and does what the options ask for. */
export function finishImport(all: Import, args: Arguments, { printer, outside }: World): ExitCode {
  if (isGiven(args, 'print')) {
    printer.line(all.text.replace(/\n$/, ''))
    return EXIT.ok
  }
  for (const warning of all.warnings) printer.error(`warning: ${warning}`)
  printer.line(`${all.from} can be taken over:`)
  printer.line(table(all.takes.map(([name, value]) => [`  ${name}`, value])))
  printer.line(['What differs from letmein:', ...all.differs.map((sentence) => `- ${sentence}`)].join('\n'))
  if (!isGiven(args, 'write')) {
    const there = existsSync(all.to) ? ' --force (a file is there; a copy of it is kept)' : ''
    printer.line(`Nothing was changed. --write${there} makes ${all.to} of it; --print shows that file, keys and all.`)
    return EXIT.ok
  }
  // No colons: not every file system takes them.
  const stamp = `.${new Date(outside.nowMs()).toISOString().replace(/:/g, '-').replace(/\.\d+/, '')}`
  const done = writeFileOnce(all.to, all.text, { ...all.file, replaces: isGiven(args, 'force'), stamp })
  if (done.kind === 'exists')
    throw new UsageError(`${all.to} is there: expected --force, which keeps a copy of it, or another --output`)
  const copy = done.copy === undefined ? '' : `; what was there is ${done.copy}`
  printer.line(`Written: ${all.to} (mode ${all.file.mode.toString(8)})${copy}`)
  printer.line(['Next:', ...all.next.map((line) => `  ${line}`)].join('\n'))
  return EXIT.ok
}

const SHOWN = 12

/** `3: A, B, C`. */
export function counted(words: readonly string[]): string {
  const shown = words.length > SHOWN ? [...words.slice(0, SHOWN), '…'] : words
  return words.length === 0 ? 'none' : `${words.length}: ${shown.join(', ')}`
}
