/**
 * The postern program in words: help, completion, command lines that are wrong, and the rarer commands.
 */
import { add } from './add.js'
import type { World } from './command.js'
import { connect } from './connect.js'
import { doctor } from './doctor.js'
import type { ExitCode } from './exit.js'
import { genKey } from './gen-key.js'
import { importClient } from './import.js'
import { keepalive } from './keepalive.js'
import { knock, revoke } from './knock.js'
import { probe } from './probe.js'
import { type Program, runProgram } from './program.js'
import { sshConfig } from './ssh-config.js'

export const postern: Program = {
  name: 'postern',
  describe: 'a port stays shut until its owner knocks',
  commands: [knock, connect, keepalive, revoke, doctor, probe, sshConfig, add, genKey, importClient],
  groups: [
    {
      title: 'Every day',
      commands: {
        knock: 'ask a host to open a port for this machine',
        connect: 'knock and connect in one, for ssh’s ProxyCommand',
        keepalive: 'keep open what a knock opened',
        revoke: 'ask a host to shut it again',
      },
    },
    {
      title: 'Once',
      commands: {
        add: 'take the line that posternd enroll prints',
        'ssh-config': 'the lines for ~/.ssh/config, so that ssh knocks by itself',
        import: 'take over letmein’s or fwknop’s client file',
        'gen-key': 'make a key by hand',
        completion: 'completion for bash, zsh or fish',
      },
    },
    {
      title: 'When it does not work',
      commands: {
        doctor: 'find why one does not get in, and what mends it',
        probe: 'whether a stranger can tell that postern is there',
      },
    },
  ],
  examples: [
    ['postern add', 'the line that posternd enroll printed: asks for it and does not show it'],
    ['postern knock gate.example.org ssh --wait && ssh gate.example.org', 'by hand'],
    ['postern ssh-config gate.example.org --install', 'from now on `ssh gate.example.org` knocks by itself'],
    ['postern doctor gate.example.org', 'the evening it does not work'],
  ],
  exitCodes: [
    'Exit codes:',
    "   0  sent; with --wait: the port is open; by letmein's exchange: the server said COMEIN; connect: all was carried",
    '   1  it did not happen: no address found, nothing sent, not let in, still shut when the time was over, broken off;',
    '      probe: some port can be told from closed ones; doctor: it found something',
    '   2  the command line is wrong',
    '  77  a key file was refused for its permissions',
    '  78  the configuration is wrong, or has no key or resource for this',
  ].join('\n'),
}

/** Answers any command line of the postern program, and gives its exit code. */
export function runWords(words: readonly string[], world: World): Promise<ExitCode> {
  return runProgram(postern, words, world)
}
