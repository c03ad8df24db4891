/** What `postern keepalive` takes, on the command line and in each line of its file. */
import { FWKNOP_OPTIONS } from './knock-arguments.js'
import { KNOCK_OPTIONS } from './knock-options.js'
import type { Option } from './options.js'

const OF_KNOCK = [
  ...['user', 'resource', 'address', 'ipv4', 'ipv6', 'port', 'protocol', 'tcp', 'udp', 'config', 'key-file', 'realm'],
  ...['lifetime', ...FWKNOP_OPTIONS],
]
const TRIES: Option = { name: 'tries', value: 'N', describe: 'send each up to N times, a second apart', preset: '1' }

/** What a line of the file may say, and the command line for all lines. */
export const CHARGE_OPTIONS: readonly Option[] = [
  ...KNOCK_OPTIONS.filter(({ name }) => OF_KNOCK.includes(name)),
  TRIES,
  {
    name: 'every',
    value: 'TIME',
    describe: 'knock so often: 90s, 5m',
    preset: 'twice in a lease: its timeout: in the file, or --lifetime',
  },
  { name: 'while-connected', describe: 'prolong while a TCP connection to HOST is there, open nothing (Linux)' },
]

export const KEEPALIVE_OPTIONS: readonly Option[] = [
  ...CHARGE_OPTIONS,
  { name: 'file', alias: 'f', value: 'FILE', describe: 'many hosts: HOST PORT… [options], a line each' },
  { name: 'once', describe: 'knock once and end, as cron wants it; says only what fails' },
  ...KNOCK_OPTIONS.filter(({ name }) => name === 'env-file'),
  { name: 'quiet', alias: 'q', describe: 'say only what fails' },
]
