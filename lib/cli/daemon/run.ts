/** `posternd run`, in words: the starter (lib/daemon/starter.pl) is what runs. */
import type { Command } from '../command.js'
import { UsageError } from '../usage.js'
import { CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION } from './options.js'

export const run: Command = {
  name: 'run',
  positionals: '',
  describe:
    'run the daemon in the foreground: SIGHUP re-reads the configuration, SIGTERM ends it and leaves the gate shut',
  options: [
    CONFIG_OPTION,
    RUN_DIR_OPTION,
    STATE_DIR_OPTION,
    {
      name: 'user',
      value: 'USER',
      describe: 'whom the monitor runs as; - keeps the uid',
      preset: 'postern; - for an ordinary user',
    },
    {
      name: 'listener-user',
      value: 'USER',
      describe: 'whom the listener runs as',
      preset: 'postern-listener; - for an ordinary user',
    },
    { name: 'close', describe: 'revoke all leases at the end' },
  ],
  examples: [
    ['posternd run', 'as root; systemd does it with conf/systemd/postern.service'],
    ['posternd run --config ./posternd.conf --run-dir ./run --state-dir ./state', 'to try it, in a network namespace'],
  ],
  run: async () => {
    throw new UsageError('run: start it as bin/posternd, which opens the sockets first')
  },
}
