/** What `postern knock` and `postern revoke` take. The short letters are those of letmein's client. */
import type { Option } from './options.js'

const WHO: readonly Option[] = [
  { name: 'user', alias: 'u', value: 'ID', describe: 'who knocks, 1–8 hex digits', preset: 'default-user of the file' },
  { name: 'resource', alias: 'r', value: 'ID', describe: 'what to open, 1–8 hex digits; PORT may be left out then' },
  {
    name: 'address',
    alias: 'a',
    value: 'ADDR',
    describe: "the address to open for; auto: name this machine's own",
    preset: 'the one that the server sees',
  },
  { name: 'ipv4', alias: '4', describe: 'knock at IPv4 addresses only' },
  { name: 'ipv6', alias: '6', describe: 'knock at IPv6 addresses only' },
  { name: 'port', alias: 'P', value: 'PORT', describe: 'port that the server hears knocks on, or any (UDP)' },
  {
    name: 'protocol',
    value: 'NAME',
    describe: 'spa, letmein, auto (spa, and letmein if shut) or fwknop',
    choices: ['spa', 'letmein', 'auto', 'fwknop'],
    preset: "the file's",
  },
  { name: 'tcp', alias: 'T', describe: 'letmein over TCP' },
  { name: 'udp', alias: 'U', describe: 'letmein over UDP' },
  { name: 'tries', value: 'N', describe: 'send up to N times, a second apart', preset: '1; with --wait 3' },
  { name: 'config', alias: 'c', value: 'FILE', describe: 'configuration', preset: '~/.config/postern/postern.conf' },
  { name: 'key-file', alias: 'k', value: 'FILE', describe: 'the key: 64 hex digits, or USER = KEY' },
  { name: 'realm', value: 'TEXT', describe: "the server's [SPA] realm" },
  { name: 'env-file', value: 'FILE', describe: 'read POSTERN_HOST, _USER, _CONFIG, _KEY_FILE from FILE' },
]

const WHO_AND_WHERE: readonly Option[] = [
  ...WHO,
  { name: 'quiet', alias: 'q', describe: 'print nothing when all went well' },
  { name: 'json', describe: 'print one JSON object' },
]

const FWKNOP: readonly Option[] = [
  { name: 'fwknoprc', value: 'FILE', describe: 'fwknop: the keys and settings of its client', preset: '~/.fwknoprc' },
  { name: 'stanza', alias: 'n', value: 'NAME', describe: 'fwknop: the section of that file', preset: 'HOST, if there' },
  { name: 'spoof-user', value: 'NAME', describe: 'fwknop: the user name in the packet', preset: 'as fwknop finds it' },
  { name: 'source-port', value: 'PORT', describe: 'fwknop: the UDP port to send from', preset: "the system's choice" },
  { name: 'time-offset', value: '[-]TIME', describe: "fwknop: how far the server's clock is ahead: 90, 10m, =-10m" },
]

const LIFETIME: Option = {
  name: 'lifetime',
  alias: 'l',
  value: 'TIME',
  describe: 'how long: 90, 90s, 30m, 1h, 1d',
  preset: "the server's",
}

export const KNOCK_OPTIONS: readonly Option[] = [
  ...WHO_AND_WHERE,
  LIFETIME,
  { name: 'wait', alias: 'w', describe: 'return when the TCP port is open' },
  { name: 'timeout', alias: 't', value: 'TIME', describe: 'how long --wait waits', preset: '10s' },
  { name: 'single', describe: 'of an instant resource: send the instant datagram only' },
  { name: 'extend', describe: 'prolong what is open, open nothing' },
  ...FWKNOP,
]

export const REVOKE_OPTIONS = WHO_AND_WHERE

/** A knock as it is usually made, looked at: no time, no address, no second protocol's options. */
export const DOCTOR_OPTIONS: readonly Option[] = [
  ...WHO.filter(({ name }) => !['address', 'tries'].includes(name)),
  ...FWKNOP,
  { name: 'json', describe: 'print one JSON object' },
]

export const CONNECT_OPTIONS: readonly Option[] = [
  ...WHO.map((option) => (option.name === 'tries' ? { ...option, preset: '3' } : option)),
  LIFETIME,
  { name: 'wait', alias: 'w', value: 'TIME', describe: 'how long to try to connect', preset: '10s' },
  ...FWKNOP,
  { name: 'fdpass', describe: 'hand the connection to ssh (ProxyUseFdpass yes); see postern ssh-config' },
]
