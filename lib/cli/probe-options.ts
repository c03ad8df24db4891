/** The options of `postern probe`. */
import type { Option } from './options.js'

export const PROBE_OPTIONS: readonly Option[] = [
  { name: 'port', alias: 'P', value: 'PORT', describe: 'where the server hears knocks', preset: '5800' },
  {
    name: 'user',
    alias: 'u',
    value: 'ID',
    describe: "a number that a stranger may guess, for a datagram of letmein's form",
    preset: '00000000',
  },
  { name: 'ipv4', alias: '4', describe: 'look over IPv4 only' },
  { name: 'ipv6', alias: '6', describe: 'look over IPv6 only' },
  { name: 'json', describe: 'print one JSON object' },
]
