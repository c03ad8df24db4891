/**
 * `postern keepalive` as a bundle of its own (scripts/bundle.js): run seldom, but for months, it has neither yargs in memory
 * nor a place in what every knock loads.
 */
import type { World } from './command.js'
import type { ExitCode } from './exit.js'
import { keepalive } from './keepalive.js'
import { runQuick } from './quick.js'

/** As `runQuick`: the exit code, or undefined where words.ts has to answer. */
export function runKeepalive(words: readonly string[], world: World): Promise<ExitCode | undefined> {
  return runQuick(keepalive, words, world)
}
