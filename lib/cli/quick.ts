/** A command run without yargs, where its words are plain. */
import type { Command, World } from './command.js'
import type { ExitCode } from './exit.js'
import { hintOf, reportFailure } from './failure.js'
import { isGiven } from './options.js'
import { parsePlain } from './plain.js'

/**
 * The exit code, with what went wrong said; undefined where the words are not plain, or where this Node's OpenSSL (FIPS) cannot
 * do what a knock needs: words.ts can.
 */
export async function runQuick(
  command: Command,
  words: readonly string[],
  world: World,
): Promise<ExitCode | undefined> {
  const args = parsePlain(words, command.options)
  if (args === undefined) return undefined
  try {
    return await command.run(args, world)
  } catch (error) {
    if (isCryptoLacking(error)) return undefined
    const hint = hintOf('postern', command)
    return reportFailure(error, world.printer, { program: 'postern', json: isGiven(args, 'json'), hint })
  }
}

function isCryptoLacking(error: unknown): boolean {
  return /^ERR_(CRYPTO|OSSL)_/.test((error as NodeJS.ErrnoException)?.code ?? '')
}
