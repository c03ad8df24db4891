/**
 * Whether systemd lets the daemon answer letmein's clients: postern.service allows no IP socket and no IP packet, and its drop-in
 * (conf/systemd/letmein.conf) does. Without it the knock is heard, and its CHALLENGE never leaves.
 */
import { spawnSync } from 'node:child_process'
import type { ServerConfig } from '../../../config/types.js'
import type { Finding } from '../../finding.js'
import { LETMEIN_DROP_IN, letmeinDropIn } from '../init/install.js'

const UNIT = 'postern.service'
const ASKED = ['LoadState', 'MainPID', 'RestrictAddressFamilies', 'IPAddressDeny', 'IPAddressAllow']
const TIMEOUT_MS = 3_000
/** letmein's clients are answered over both. */
const NEEDED = ['AF_INET', 'AF_INET6']

/** Asks systemctl; nothing where letmein's clients are not heard, or there is no systemd. `isRunning`: some daemon answers. */
export function ofUnit({ letmein }: Pick<ServerConfig, 'letmein'>, isRunning: boolean): Finding[] {
  if (!letmein.enabled) return []
  const { stdout, status } = spawnSync('systemctl', ['show', UNIT, `--property=${ASKED.join(',')}`], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status !== 0 || !forbidsAnswers(stdout, isRunning)) return []
  return [
    {
      code: 'unit-forbids',
      sentence: `${UNIT} allows no IP socket, so letmein’s clients are heard and never answered: its drop-in ${LETMEIN_DROP_IN} is missing`,
      mend: `install -D -m 644 ${letmeinDropIn()} ${LETMEIN_DROP_IN} && systemctl daemon-reload && systemctl restart postern`,
    },
  ]
}

/** Of what `systemctl show` says: for certain, and of a daemon that is this unit's, or will be. Pure. */
export function forbidsAnswers(shown: string, isRunning: boolean): boolean {
  const said = new Map(
    shown.split('\n').map((line) => {
      const [name = '', ...value] = line.split('=')
      return [name, value.join('=').trim()]
    }),
  )
  if (said.get('LoadState') !== 'loaded') return false
  // One that was started by hand is under nobody's rules.
  if (isRunning && said.get('MainPID') === '0') return false
  return !allowsSockets(said.get('RestrictAddressFamilies') ?? '') || !allowsPackets(said)
}

/** Empty: all; `~AF_X`: all but these. */
function allowsSockets(families: string): boolean {
  const named = families.replace(/^~/, '').split(' ')
  const isAmong = (family: string) => named.includes(family)
  return families === '' || families.startsWith('~') ? !NEEDED.some(isAmong) : NEEDED.every(isAmong)
}

/** Networks that are allowed may be all that have letmein's clients. */
function allowsPackets(said: ReadonlyMap<string, string>): boolean {
  return (said.get('IPAddressDeny') ?? '') === '' || (said.get('IPAddressAllow') ?? '') !== ''
}
