/**
 * `postern doctor` for a host that is knocked at by fwknop's packet. Neither fwknopd nor posternd answers it, but whether a port opens
 * by another packet can be seen: for the address that the server sees, to the usual port, for one port alone.
 */
import { examine, opensBy, type Seen } from '../../client/examine.js'
import type { FwknopAllow, FwknopErrand } from '../../client/fwknop-perform.js'
import { tryPort } from '../../client/try-port.js'
import { ConfigError } from '../../config/error.js'
import { shellWord } from '../../config/permissions.js'
import { portName } from '../../wire/fwknop-types.js'
import type { World } from '../command.js'
import type { Finding, Report } from '../finding.js'
import type { FwknopPlan } from '../fwknop-plan.js'
import { knockAt } from '../knock-fwknop.js'
import { judgeKnock } from './knock.js'

const TIMEOUT_MS = 4_000
const TRIAL_MS = 1_500
const USUAL_PORT = 62_201
const AT_SERVER =
  'journalctl -u fwknop-server -n 20   # on the server (fwknopd says most with -v); where it is posternd: posternd doctor --listen 60, while this machine knocks again'

interface Trial {
  /** What is different in this packet. */
  readonly errand: FwknopErrand
  /** What it means if it opens. */
  readonly found: () => Finding
}

/** Looks, knocks, looks, and where nothing opens tries what the server might have wanted. `name`: the host as the user calls it. */
export async function examineFwknop(
  plan: FwknopPlan,
  name: string,
  families: readonly (4 | 6)[],
  outside: World['outside'],
): Promise<Report> {
  const { errand, keysFrom, warnings } = plan
  const { host, wish, controlPort } = errand
  const ports = [...new Set(wish.ports.flatMap(({ protocol, port }) => (protocol === 'tcp' ? [port] : [])))]
  const once = { ...errand, tries: 1 }
  const examined = await examine({ host, families, ports }, () => knockAt(once, outside), TIMEOUT_MS, outside, tryPort)
  const wanted = wish.ports.map(portName).join(', ')
  const judged = judgeKnock(examined, {
    host: name,
    address: host,
    compare: `KEY, HMAC_KEY, HMAC_DIGEST_TYPE and ENCRYPTION_MODE of ${keysFrom} with the stanza in access.conf, its OPEN_PORTS with ${wanted}, its SOURCE with this machine’s address, and UDP port ${controlPort === 'any' ? '(drawn at random, RAND_PORT)' : controlPort}`,
    mend: AT_SERVER,
    canRevoke: false,
    controlPort,
    nowMs: outside.nowMs() + errand.timeOffsetMs,
  })
  const notes = [...judged.notes, ...warnings]
  if (judged.findings[0]?.code !== 'shut') return { findings: judged.findings, notes }
  // fwknop's packet goes over IPv4 mostly, and opens for what it goes over.
  const targets = examined.seen.filter(({ to }) => errand.families.includes(to.family))
  const better = await firstThatOpens(trialsOf(plan, name, targets), targets, outside)
  return { findings: better === undefined ? judged.findings : [better], notes }
}

/** What keeps the packet from being made; undefined: something else, or permissions, which doctor.ts knows. */
export function ofFwknopFiles(error: unknown): Finding | undefined {
  if (!(error instanceof ConfigError) || error.code === 'permission') return undefined
  const [{ file } = { file: '~/.fwknoprc' }] = error.problems
  const [sentence = ''] = error.message.split('\n')
  return {
    code: 'config',
    sentence,
    mend: `grep -n '' ${shellWord(file.replace(/ \[.*\]$/, ''))}   # KEY_BASE64 and HMAC_KEY_BASE64 as in the server’s access.conf`,
  }
}

async function firstThatOpens(
  trials: readonly Trial[],
  targets: readonly Seen[],
  outside: World['outside'],
): Promise<Finding | undefined> {
  for (const { errand, found } of trials) {
    const own = errand.wish.ports.map(({ port }) => port)
    const looked = targets.filter(({ port }) => own.includes(port))
    const opened = await opensBy(() => knockAt(errand, outside), looked, TRIAL_MS, outside, tryPort)
    if (opened.length > 0) return found()
  }
  return undefined
}

/** Each differs in one thing from the packet that opened nothing. */
function trialsOf(plan: FwknopPlan, name: string, targets: readonly Seen[]): Trial[] {
  const { errand } = plan
  const once = { ...errand, tries: 1 }
  return [
    ...(errand.allow.kind === 'source' ? [addressTrial(once, name)] : [sourceTrial(plan, once, name)]),
    ...(errand.controlPort === USUAL_PORT ? [] : [portTrial(plan, once, name)]),
    ...(errand.wish.ports.length < 2 ? [] : onePortTrials(once, name, targets)),
  ]
}

function sourceTrial({ errand: { allow }, file, lineOf }: FwknopPlan, once: FwknopErrand, name: string): Trial {
  const ports = once.wish.ports.map(portName).join(' ')
  return {
    errand: { ...once, allow: { kind: 'source' } },
    found: () => ({
      code: 'address-differs',
      sentence: `it opens for the address that ${name} sees, and not for ${allowWords(allow)}, which the packet names: a NAT stands between, or this machine’s address has changed`,
      mend:
        editMend(file, lineOf('ALLOW_IP'), 'ALLOW_IP source') ??
        `postern knock --protocol fwknop --address source ${name} ${ports}`,
    }),
  }
}

function addressTrial(once: FwknopErrand, name: string): Trial {
  const ports = once.wish.ports.map(portName).join(' ')
  return {
    errand: { ...once, allow: { kind: 'own' } },
    found: () => ({
      code: 'address-required',
      sentence: `${name} opens only for an address that the packet names (REQUIRE_SOURCE_ADDRESS), and this one leaves it to the server (ALLOW_IP source)`,
      mend: `postern knock --protocol fwknop --address auto ${name} ${ports}`,
    }),
  }
}

function portTrial({ errand, file, lineOf }: FwknopPlan, once: FwknopErrand, name: string): Trial {
  const ports = once.wish.ports.map(portName).join(' ')
  const random = errand.controlPort === 'any'
  const setting = random ? 'RAND_PORT' : 'SPA_SERVER_PORT'
  const line = random ? 'RAND_PORT N' : `SPA_SERVER_PORT ${USUAL_PORT}`
  return {
    errand: { ...once, controlPort: USUAL_PORT },
    found: () => ({
      code: 'knock-port',
      sentence: `${name} hears fwknop’s packets at UDP port ${USUAL_PORT}, and they were sent to ${random ? 'random ports' : `port ${errand.controlPort}`}`,
      mend:
        editMend(file, lineOf(setting), line) ??
        `postern knock --protocol fwknop --port ${USUAL_PORT} ${name} ${ports}`,
    }),
  }
}

/** A stanza grants all that one packet asks for, or nothing. */
function onePortTrials(once: FwknopErrand, name: string, targets: readonly Seen[]): Trial[] {
  const { ports } = once.wish
  const looked = ports.filter(({ protocol, port }) => protocol === 'tcp' && targets.some((one) => one.port === port))
  return looked.map((port) => ({
    errand: { ...once, wish: { ...once.wish, ports: [port] } },
    found: () => {
      const others = ports.filter((one) => one !== port).map(portName)
      return {
        code: 'ports',
        sentence: `${portName(port)} opens where it is asked for alone, so the server’s stanza does not grant ${others.join(', ')} (OPEN_PORTS), and with that nothing of one packet`,
        mend: `postern knock --protocol fwknop ${name} ${portName(port)}`,
      }
    },
  }))
}

function allowWords(allow: FwknopAllow): string {
  return allow.kind === 'address' ? allow.address : 'this machine’s own'
}

/** The one line of the file that says it otherwise. */
function editMend(file: string, line: number | undefined, text: string): string | undefined {
  return line === undefined ? undefined : `sed -i '${line}s/.*/${text}/' ${shellWord(file)}`
}
