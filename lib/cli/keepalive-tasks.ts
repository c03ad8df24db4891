/** All that a keepalive has to keep, out of its command line, its file, the environment and the client's configuration. */
import { ConfigError, type Problem } from '../config/error.js'
import { thisProcess } from '../config/files.js'
import { readOwnFile } from '../config/read-file.js'
import type { World } from './command.js'
import { type Task, taskOf } from './keepalive-arguments.js'
import { type Row, readRows } from './keepalive-file.js'
import type { Source } from './knock-plan.js'
import { readSource } from './knock-source.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

/** A task, and what it was made of. */
export interface Kept {
  readonly key: string
  readonly task: Task
  readonly source: Source
}

/** What goes for the process as a whole. */
const OF_PROCESS = ['file', 'once', 'quiet']

/** Reads it all anew. Throws UsageError and ConfigError; with a file, all of its lines that are wrong at once. */
export async function readTasks(args: Arguments, env: World['env']): Promise<Kept[]> {
  const isOnce = isGiven(args, 'once')
  if (isOnce && isGiven(args, 'every')) throw new UsageError('--once with --every: whoever starts it says how often')
  const file = textOf(args, 'file')
  const common = withoutProcess(args)
  if (file === undefined) {
    const source = await readSource(common, env)
    return [{ key: '', task: taskOf(common, source, { isOnce, hasHost: source.host !== undefined }), source }]
  }
  if (file === '') throw new UsageError('--file "": expected a file')
  if (args.positionals.length > 0)
    throw new UsageError('HOST beside --file: expected one of them: postern keepalive --file FILE')
  const rows = readRows(readOwnFile(file, thisProcess('client')).text, file, common)
  return tasksOf(rows, file, sources(env), isOnce)
}

function withoutProcess({ positionals, values }: Arguments): Arguments {
  return {
    positionals,
    values: Object.fromEntries(Object.entries(values).filter(([name]) => !OF_PROCESS.includes(name))),
  }
}

async function tasksOf(
  rows: readonly Row[],
  file: string,
  sourceOf: (args: Arguments) => Promise<Source>,
  isOnce: boolean,
): Promise<Kept[]> {
  const problems: Problem[] = []
  const kept = new Map<string, Kept>()
  const lines = new Map<string, number>()
  for (const { args, line } of rows) {
    const key = keyOf(args)
    if (lines.has(key)) problems.push({ file, line, message: `the same as line ${lines.get(key)}: expected it once` })
    lines.set(key, line)
    // A configuration that cannot be read is no matter of this line.
    const source = await sourceOf(args)
    try {
      kept.set(key, { key, task: taskOf(args, source, { isOnce, hasHost: false }), source })
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof ConfigError)) throw error
      problems.push({ file, line, message: error.message })
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return [...kept.values()]
}

/** What the line says, whatever the order of its options. */
function keyOf({ positionals, values }: Arguments): string {
  return JSON.stringify([positionals, Object.entries(values).sort()])
}

/** Reads each configuration once, however many lines name it. */
function sources(env: World['env']): (args: Arguments) => Promise<Source> {
  const read = new Map<string, Promise<Source>>()
  return (args) => {
    const key = JSON.stringify([textOf(args, 'config'), textOf(args, 'key-file'), textOf(args, 'env-file')])
    const known = read.get(key) ?? readSource(args, env)
    read.set(key, known)
    return known
  }
}
