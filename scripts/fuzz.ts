/**
 * `scripts/fuzz PROTOCOL [COUNT [SEED]]`: changes valid datagrams at random, COUNT of them (1000000), and asks the gate about each. The
 * lines of standard output: how often each outcome was met, what must not be, the time. Exit code 0: nothing that must not be; 1:
 * something; 2: wrong usage.
 */
import { type Fuzzed, fuzzFwknop } from './fuzzers/fwknop.js'

const FUZZERS: ReadonlyMap<string, (count: number, seed: number, clockMs: () => number) => Fuzzed> = new Map([
  ['fwknop', fuzzFwknop],
])
const NUMBER = /^[0-9]{1,10}$/

process.exitCode = main(process.argv.slice(2))

function main([
  protocol = '',
  count = '1000000',
  seed = `${Date.now() % 2 ** 32}`,
  ...more
]: readonly string[]): number {
  const fuzz = FUZZERS.get(protocol)
  if (fuzz === undefined || !NUMBER.test(count) || !NUMBER.test(seed) || more.length > 0) {
    console.error(`usage: scripts/fuzz PROTOCOL [COUNT [SEED]] (PROTOCOL: ${[...FUZZERS.keys()].join(', ')})`)
    return 2
  }
  const began = performance.now()
  const { counts, slowestMs, faults } = fuzz(Number(count), Number(seed), () => performance.now())
  const seconds = (performance.now() - began) / 1000
  for (const [name, times] of [...counts].sort((a, b) => b[1] - a[1]))
    console.log(`${String(times).padStart(9)} ${name}`)
  for (const fault of faults) console.log(`FAULT ${fault}`)
  console.log(
    `${count} packets, seed ${seed}: ${seconds.toFixed(1)} s, slowest ${slowestMs.toFixed(2)} ms, ${faults.length} faults`,
  )
  return faults.length === 0 ? 0 : 1
}
