/**
 * What `postern import` and `posternd import` have in common, of letmein and of fwknop: say what would be taken over and what differs,
 * and write a file only where that is asked for.
 */
import { existsSync } from 'node:fs'
import { quote } from '../config/error.js'
import { thisProcess } from '../config/files.js'
import { changeFile } from '../config/replace-file.js'
import { type WriteChoices, writeFileOnce } from '../config/write-file.js'
import type { World } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { type Arguments, isGiven, type Option, textOf } from './options.js'
import { table } from './print.js'
import { UsageError } from './usage.js'

/** Options of both; `preset`: where the file goes, `written`: what --write writes. */
export function importOptions(preset: string, written = 'the file'): Option[] {
  return [
    { name: 'write', alias: 'w', describe: `write ${written}; else nothing is changed` },
    { name: 'output', alias: 'o', value: 'FILE', describe: 'the file to write', preset },
    { name: 'force', describe: 'with --write: over a file that is there, of which a copy is kept' },
    { name: 'print', describe: "print the file (with letmein's keys) and nothing else" },
  ]
}

/** Whose configuration is taken over. */
export type Peer = 'letmein' | 'fwknop'

export interface Import {
  readonly peer: Peer
  /** Its file. */
  readonly from: string
  readonly to: string
  /** The new file. */
  readonly text: string
  /** Name and value of what is taken over. */
  readonly takes: readonly (readonly [string, string])[]
  /** Sentences: what is not as with it, for what this file says, and in any case. */
  readonly differs: { readonly here: readonly string[]; readonly always: readonly string[] }
  readonly warnings: readonly string[]
  /** What to do when the file is there. */
  readonly next: readonly string[]
  readonly file: Omit<WriteChoices, 'replaces' | 'stamp'>
  /** What goes into a file that is there, where nobody says --force: its name, and the file's text with it. */
  readonly into?: { readonly section: string; readonly change: (text: string) => string }
}

/** The peer and its file, `letmein [FILE]`; `usual`: where it is where no file is named. Throws UsageError. */
export function importSource(args: Arguments, usual: Readonly<Record<Peer, string>>): { peer: Peer; file: string } {
  const [what, named, more] = args.positionals
  if (what !== 'letmein' && what !== 'fwknop')
    throw new UsageError(
      `import ${what === undefined ? 'what?' : quote(what)}: expected import letmein [FILE] or import fwknop [FILE]`,
    )
  if (more !== undefined || named === '') throw new UsageError(`import ${what} ${quote(more ?? '')}: expected one file`)
  if (isGiven(args, 'print') && isGiven(args, 'write'))
    throw new UsageError('--print with --write: expected one of them')
  if (isGiven(args, 'force') && !isGiven(args, 'write')) throw new UsageError('--force without --write')
  return { peer: what, file: named ?? usual[what] }
}

/** Throws UsageError where one of these options, which the other peer has, is given. */
export function refuseOptions(args: Arguments, peer: Peer, names: readonly string[]): void {
  const name = names.find((one) => isGiven(args, one))
  if (name !== undefined) throw new UsageError(`--${name} with import ${peer}: it is not for it: leave it out`)
}

/** Where the new file goes. */
export function importTarget(args: Arguments, usual: string | undefined): string {
  const file = textOf(args, 'output') ?? usual
  if (file === undefined) throw new UsageError('--output: expected a file, as there is no HOME')
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
  printer.line(`${differencesIn(all)}\n`)
  const { into } = all
  const isInto = into !== undefined && existsSync(all.to) && !isGiven(args, 'force')
  if (isInto && !isGiven(args, 'write')) {
    printer.line(`Nothing was changed. --write adds ${into.section} to ${all.to}, which is there.`)
    return EXIT.ok
  }
  if (isInto) {
    changeFile(all.to, thisProcess('client'), (text) => into.change(text ?? ''))
    printer.line(`Added ${into.section} to ${all.to}`)
    printer.line(nextIn(all))
    return EXIT.ok
  }
  if (!isGiven(args, 'write')) {
    const there = existsSync(all.to) ? ' --force (a file is there; a copy of it is kept)' : ''
    printer.line(
      `Nothing was changed. --write${there} makes ${all.to} of it; --print shows that file${all.peer === 'letmein' ? ', keys and all' : ''}.`,
    )
    return EXIT.ok
  }
  // No colons: not every file system takes them.
  const stamp = `.${new Date(outside.nowMs()).toISOString().replace(/:/g, '-').replace(/\.\d+/, '')}`
  const done = writeFileOnce(all.to, all.text, { ...all.file, replaces: isGiven(args, 'force'), stamp })
  if (done.kind === 'exists')
    throw new UsageError(`${all.to} is there: expected --force, which keeps a copy of it, or another --output`)
  const copy = done.copy === undefined ? '' : `; what was there is ${done.copy}`
  printer.line(`Written: ${all.to} (mode ${all.file.mode.toString(8)})${copy}`)
  printer.line(nextIn(all))
  return EXIT.ok
}

/** What concerns the reader's own file first. */
function differencesIn({ peer, differs: { here, always } }: Import): string {
  const list = (title: string, sentences: readonly string[]) =>
    sentences.length === 0 ? [] : ['', title, ...sentences.map((sentence) => `- ${sentence}`)]
  const [own, any] = [`What differs from ${peer}, by what this file says:`, `What differs from ${peer} in any case:`]
  return [...list(own, here), ...list(any, always)].join('\n')
}

/** The last that is said, line by line to be given as it stands. */
function nextIn({ next }: Import): string {
  return ['', 'Next:', ...next.map((line) => `  ${line}`)].join('\n')
}

const SHOWN = 12

/** `3: A, B, C`. */
export function counted(words: readonly string[]): string {
  const shown = words.length > SHOWN ? [...words.slice(0, SHOWN), '…'] : words
  return words.length === 0 ? 'none' : `${words.length}: ${shown.join(', ')}`
}
