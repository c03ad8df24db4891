/** A program's own help: its commands by what they are for, a line each, on one screen. What a command takes is its own help's to say. Pure. */
import type { Command } from './command.js'

export interface Group {
  readonly title: string
  /** A command's name, and what it does in a few words. */
  readonly commands: Readonly<Record<string, string>>
}

export interface Overview {
  readonly name: string
  readonly describe: string
  readonly commands: readonly Command[]
  readonly groups: readonly Group[]
  /** Command lines to begin with. */
  readonly examples: readonly (readonly [string, string])[]
}

/** Lines without an end at the last. A command of no group comes at the end, in its own words. */
export function overview({ name, describe, commands, groups, examples }: Overview): string {
  const grouped = new Set(groups.flatMap((group) => Object.keys(group.commands)))
  const others = commands
    .filter((command) => !grouped.has(command.name))
    .map((one) => [one.name, one.describe] as const)
  const sections = groups.map(({ title, commands: some }) => ({
    title,
    rows: Object.entries(some) as [string, string][],
  }))
  const all = [...sections, ...(others.length === 0 ? [] : [{ title: 'Also', rows: others }])]
  const width = Math.max(...all.flatMap(({ rows }) => rows.map(([command]) => command.length)))
  return [
    `${name}: ${describe}`,
    ...all.flatMap(({ title, rows }) => [
      '',
      `${title}:`,
      ...rows.map(([command, brief]) => `  ${name} ${command.padEnd(width)}  ${brief}`),
    ]),
    '',
    ...examples.map(([line, what]) => `  ${line}  # ${what}`),
    '',
    `${name} COMMAND --help: options, examples and exit codes; ${name} --version`,
  ].join('\n')
}
