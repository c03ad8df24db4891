/**
 * The postern program's quick way: a plain `knock` or `revoke` goes straight through; everything else is left to words.ts,
 * whose yargs costs three times a whole knock to load. scripts/bundle.js makes one script of this.
 */
import { clientSystem } from '../client/client-system.js'
import { forgoCluster } from '../client/forgo-cluster.js'
import type { Command, World } from './command.js'
import { connect } from './connect.js'
import { EXIT, type ExitCode } from './exit.js'
import { knock, revoke } from './knock.js'
import { terminal } from './print.js'
import { runQuick } from './quick.js'
import { version } from './version.js'

/** The slow way: yargs, and noble instead of node:crypto. Answers any command line. */
export type Words = (words: readonly string[], world: World) => Promise<ExitCode>
/** keepalive-main.ts: undefined where words.ts has to answer. */
export type RunKeepalive = (words: readonly string[], world: World) => Promise<ExitCode | undefined>

const QUICK: readonly Command[] = [knock, connect, revoke]
/** What of these sends datagrams, and does nothing else that node:cluster could be asked about. */
const SENDS: readonly Command[] = [knock, revoke]

/** Runs the program and ends the process. `loadWords` imports words.ts; without `loadKeepalive` that has keepalive, too. */
export async function main(
  words: readonly string[],
  loadWords: () => Promise<{ runWords: Words }>,
  loadKeepalive?: () => Promise<{ runKeepalive: RunKeepalive }>,
): Promise<never> {
  const world: World = { env: process.env, printer: terminal, outside: clientSystem }
  const [name, ...rest] = words
  if (name === '--version' && rest.length === 0) {
    terminal.line(version)
    process.exit(EXIT.ok)
  }
  const command = QUICK.find((candidate) => candidate.name === name)
  if (command && SENDS.includes(command)) forgoCluster()
  const quick =
    name === 'keepalive'
      ? await (await loadKeepalive?.())?.runKeepalive(rest, world)
      : command && (await runQuick(command, rest, world))
  process.exit(quick ?? (await (await loadWords()).runWords(words, world)))
}
