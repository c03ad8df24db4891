/**
 * Runs programs at a host, from their start to their end, in turns: `node --import tsx spawn-timer.ts FILE`. FILE holds JSON:
 * the number of turns and an argument array for each program. Prints the ms of each.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Turns {
  readonly turns: number
  /** True: the first turn counts as well. */
  readonly isWarm?: boolean
  readonly programs: readonly (readonly string[])[]
}

const { turns, programs, isWarm = false } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Turns
const times = programs.map((): number[] => [])
// The first turn, which reads the programs from the disk, does not count.
for (let turn = isWarm ? 1 : 0; turn <= turns; turn++) {
  for (const [index, [program, ...rest]] of programs.entries()) {
    const began = performance.now()
    const { status, stderr, error } = spawnSync(program!, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
    const ms = performance.now() - began
    if (status !== 0) throw new Error(`${program} ${rest.join(' ')}: ${error?.message ?? `exit ${status}: ${stderr}`}`)
    if (turn > 0) times[index]!.push(ms)
  }
}
console.log(JSON.stringify(times))
