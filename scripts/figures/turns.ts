/** Whole programs at the laboratory's client, from their start to their end, in turns. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../../spec/support/lab.js'

const PROGRAM = fileURLToPath(new URL('spawn-timer.pl', import.meta.url))

export interface Turns {
  readonly turns: number
  /** True: no turn that does not count comes first. */
  readonly isWarm?: boolean
  readonly programs: readonly (readonly string[])[]
}

/**
 * The ms of each program's turns, the first of which (it reads the disk) is left out. `names`: what /etc/hosts says there.
 * Throws where one of them fails.
 */
export async function timeTurns(
  { client, folder }: Pick<Lab, 'client' | 'folder'>,
  { turns, isWarm = false, programs }: Turns,
  names: readonly string[] = [],
): Promise<number[][]> {
  const file = join(folder, 'programs')
  const lines = programs.map((words) => words.map((word) => Buffer.from(word).toString('hex')).join(' '))
  writeFileSync(file, [turns, isWarm ? 1 : 0, ...lines].map((line) => `${line}\n`).join(''))
  const timer = ['perl', PROGRAM, file]
  const argv = names.length === 0 ? timer : [...withHosts(folder, names), ...timer]
  return JSON.parse(await client.must(argv, { timeoutMs: 300_000 }))
}

function withHosts(folder: string, names: readonly string[]): string[] {
  const hosts = join(folder, 'hosts')
  writeFileSync(hosts, `${names.join('\n')}\n`)
  return ['unshare', '--mount', 'sh', '-euc', 'mount --bind "$0" /etc/hosts; exec "$@"', hosts]
}
