/** The posternd program in words: its commands, and what its errors mean. */
import { ControlError } from '../daemon/control.js'
import { StateError } from '../daemon/monitor-file.js'
import { TrialError } from '../daemon/trial.js'
import { FirewallError } from '../firewall/types.js'
import { ReplayError } from '../replay/error.js'
import { check } from './daemon/check.js'
import { doctor } from './daemon/doctor.js'
import { enroll } from './daemon/enroll.js'
import { importServer } from './daemon/import.js'
import { init } from './daemon/init.js'
import { open, revoke } from './daemon/lease-commands.js'
import { log } from './daemon/log.js'
import { metrics } from './daemon/metrics.js'
import { remove } from './daemon/remove.js'
import { rotate } from './daemon/rotate.js'
import { run } from './daemon/run.js'
import { sleep, wake } from './daemon/sleep-wake.js'
import { status } from './daemon/status.js'
import { confirm, trial } from './daemon/trial.js'
import { trustClock } from './daemon/trust-clock.js'
import { down, up } from './daemon/up-down.js'
import { EXIT, type ExitCode } from './exit.js'
import type { Program } from './program.js'

export const posternd: Program = {
  name: 'posternd',
  describe: 'guards ports, and opens them for those who knock',
  exitCodeOf: codeOf,
  commands: [
    init,
    run,
    check,
    status,
    log,
    doctor,
    metrics,
    enroll,
    rotate,
    remove,
    open,
    revoke,
    up,
    down,
    sleep,
    wake,
    trial,
    confirm,
    trustClock,
    importServer,
  ],
  groups: [
    {
      title: 'The first ten minutes',
      commands: {
        init: 'make a working installation; guards nothing yet',
        import: 'or take over letmein’s or fwknop’s files',
        trial: 'put the gate up for some minutes, until it is confirmed',
        confirm: 'it went well: the gate is for good',
      },
    },
    {
      title: 'Users',
      commands: {
        enroll: 'a key for a user, and the line that postern add takes',
        rotate: 'another key; the old one counts for a while',
        remove: 'take a user out',
      },
    },
    {
      title: 'Every day',
      commands: {
        status: 'who is let in, and for how long',
        log: 'the last knocks, and why some were refused',
        open: 'let an address in by hand',
        revoke: 'and end that',
        check: 'what the file means; --stealth: whether it can be seen',
        doctor: 'find why nobody gets in, and what mends it',
      },
    },
    {
      title: 'The rest',
      commands: {
        run: 'the daemon in the foreground',
        up: 'the shut gate without a daemon, as at boot',
        down: 'take everything out of the kernel',
        sleep: 'no instant knock while the machine sleeps',
        wake: 'it is awake',
        metrics: 'figures for Prometheus, as a file',
        'trust-clock': 'say that the clock is right, after the first start',
        completion: 'completion for bash, zsh or fish',
      },
    },
  ],
  examples: [
    ['posternd init', 'asks four questions, and says what comes next'],
    ['posternd enroll alice --again', "alice's line once more, for `postern add` on her machine"],
    ['posternd trial 5m && systemctl start postern', 'shut to all but you; in five minutes the kernel takes it back'],
    ['posternd confirm', 'in a new login that came by a knock: it is for good'],
    ['posternd check && systemctl reload postern', 'after each edit'],
    ['posternd status', 'who has what open, and for how long'],
    ['posternd doctor --user alice --listen 60', 'the evening it does not work: while she knocks'],
  ],
  exitCodes: [
    'Exit codes:',
    '   0  done',
    '   1  it did not happen: refused, or the daemon could not; doctor: it found something',
    '   2  the command line is wrong',
    '  69  something that is needed is not there: nft, perl, a part of the kernel, a running daemon',
    '  77  not permitted: not root, or a key file whose permissions are refused',
    '  78  the configuration is wrong; every error is named with file and line',
  ].join('\n'),
}

function codeOf(error: unknown): ExitCode | undefined {
  if (error instanceof FirewallError) return error.code === 'permission' ? EXIT.permission : EXIT.unavailable
  if (error instanceof TrialError) return EXIT.configuration
  if (error instanceof ReplayError || error instanceof StateError) return EXIT.unavailable
  if (error instanceof ControlError) return error.code === 'denied' ? EXIT.permission : EXIT.unavailable
  return undefined
}
