/**
 * The postern program in words: help, completion, command lines that are wrong, and the rarer commands.
 */
import { add } from './add.js'
import type { World } from './command.js'
import type { ExitCode } from './exit.js'
import { genKey } from './gen-key.js'
import { importClient } from './import.js'
import { knock, revoke } from './knock.js'
import { type Program, runProgram } from './program.js'

export const postern: Program = {
  name: 'postern',
  describe: 'a port stays shut until its owner knocks',
  commands: [knock, revoke, add, genKey, importClient],
  exitCodes: [
    'Exit codes:',
    "   0  sent; with --wait: the port is open; by letmein's exchange: the server said COMEIN",
    '   1  it did not happen: no address found, nothing sent, not let in, or still shut after --timeout',
    '   2  the command line is wrong',
    '  77  a key file was refused for its permissions',
    '  78  the configuration is wrong, or has no key or resource for this',
  ].join('\n'),
}

/** Answers any command line of the postern program, and gives its exit code. */
export function runWords(words: readonly string[], world: World): Promise<ExitCode> {
  return runProgram(postern, words, world)
}
