/**
 * The postern program's quick way: a plain `knock` or `revoke` goes straight through; everything else is left to words.ts,
 * whose yargs costs three times a whole knock to load. scripts/bundle.js makes one script of this.
 */
import { clientSystem } from '../client/client-system.js'
import type { Command, World } from './command.js'
import { connect } from './connect.js'
import { EXIT, type ExitCode } from './exit.js'
import { reportFailure } from './failure.js'
import { knock, revoke } from './knock.js'
import { type Arguments, isGiven } from './options.js'
import { parsePlain } from './plain.js'
import { terminal } from './print.js'
import { version } from './version.js'

/** The slow way: yargs, and noble instead of node:crypto. Answers any command line. */
export type Words = (words: readonly string[], world: World) => Promise<ExitCode>

const QUICK: readonly Command[] = [knock, connect, revoke]

/** Runs the program and ends the process. `loadWords` imports words.ts. */
export async function main(words: readonly string[], loadWords: () => Promise<{ runWords: Words }>): Promise<never> {
  const world: World = { env: process.env, printer: terminal, outside: clientSystem }
  const [name, ...rest] = words
  if (name === '--version' && rest.length === 0) {
    terminal.line(version)
    process.exit(EXIT.ok)
  }
  const command = QUICK.find((candidate) => candidate.name === name)
  const args = command && parsePlain(rest, command.options)
  const quick = command && args && (await tryQuick(command, args, world))
  process.exit(quick ?? (await (await loadWords()).runWords(words, world)))
}

/** The exit code, or undefined where this Node's OpenSSL (FIPS) cannot do what a knock needs. */
async function tryQuick(command: Command, args: Arguments, world: World): Promise<ExitCode | undefined> {
  try {
    return await command.run(args, world)
  } catch (error) {
    if (isCryptoLacking(error)) return undefined
    const hint = `postern ${command.name} --help`
    return reportFailure(error, world.printer, { program: 'postern', json: isGiven(args, 'json'), hint })
  }
}

function isCryptoLacking(error: unknown): boolean {
  return /^ERR_(CRYPTO|OSSL)_/.test((error as NodeJS.ErrnoException)?.code ?? '')
}
