/** `posternd doctor`: why nobody gets in, in one sentence each, with the command that mends it. */
import { userNamed } from '../../config/change-users.js'
import { ConfigError, quote } from '../../config/error.js'
import { didYouMean } from '../../config/nearest.js'
import type { ServerConfig } from '../../config/types.js'
import { userWords } from '../../daemon/called.js'
import { ControlError } from '../../daemon/control.js'
import type { DaemonStatus } from '../../daemon/status-answer.js'
import { FirewallError } from '../../firewall/types.js'
import { formatId } from '../../wire/ids.js'
import { keyCheck } from '../../wire/key-check.js'
import { withClock } from '../clock-finding.js'
import type { Command, World } from '../command.js'
import { wholeSeconds } from '../duration.js'
import { type Finding, type Report, tellReport } from '../finding.js'
import { knownWords } from '../known.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { warningsForDaemon } from './check.js'
import { UNANSWERED } from './doctor/ear-letmein.js'
import { listenFor, NOTHING_CAME, type Whose } from './doctor/listen.js'
import { ofRefusals } from './doctor/refusals.js'
import { lookAtRules } from './doctor/rules.js'
import { ofServices } from './doctor/services.js'
import { ofDaemon, withoutDaemon } from './doctor/standing.js'
import { ofUnit } from './doctor/unit.js'
import { notInForce } from './in-force.js'
import { configOf } from './kernel.js'
import { readListeningPorts } from './listening-ports.js'
import { ask } from './log.js'
import { CONFIG_OPTION, controlPathOf, JSON_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION } from './options.js'
import { daemonStatus, withoutDaemon as kernelSide } from './status.js'

const FINE = [
  'nothing wrong was found on this side: daemon, gate, firewall, services, clock and the last refusals were looked at.',
  'A knock that opens nothing and is not in posternd log did not reach this host, or has another key or realm, or a time that is',
  'more than a minute off: posternd doctor --listen 60 says which, while somebody knocks; on the client: postern doctor HOST',
].join('\n')

const USER: Option = {
  name: 'user',
  alias: 'u',
  value: 'USER',
  describe:
    'say also what to compare with this user’s machine: his id or his name; with --listen also a stanza: access.conf:12',
}

const LISTEN: Option = {
  name: 'listen',
  alias: 'l',
  value: 'TIME',
  describe: 'hear the next knock (of USER) ahead of every rule, for so long, and say what is wrong with it',
}
const LISTEN_BOUNDS = { least: 1, greatest: 3600 }

export const doctor: Command = {
  name: 'doctor',
  positionals: '',
  describe:
    'find why nobody gets in, and say it in one sentence with the command that mends it; exit 1 where it found something',
  options: [USER, LISTEN, CONFIG_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION, JSON_OPTION],
  examples: [
    ['posternd doctor', 'the evening it does not work'],
    ['posternd doctor --user alice', 'her key check, too, which postern doctor says on her machine'],
    [
      'posternd doctor --listen 60',
      'while somebody knocks, by postern, letmein or fwknop: whose it is, and why it is refused',
    ],
    ['posternd doctor --user alice --listen 60', 'only hers: whether it arrives, and how far her clock is off'],
  ],
  run: async (args, world) => {
    if (args.positionals.length > 0)
      throw new UsageError(
        `"${args.positionals[0]}": expected no argument; postern doctor HOST asks from the client's side`,
      )
    return tellReport(await examine(args, world), FINE, isGiven(args, 'json'), world.printer)
  },
}

async function examine(args: Arguments, world: World): Promise<Report> {
  const seconds = listeningSeconds(args)
  const read = readConfig(args, world)
  const beganMs = Date.now()
  const arrived = await listen(args, read.config, seconds, world)
  // What was heard says why; the log would say it again.
  const isKnown = arrived.findings.some(({ code }) => code !== UNANSWERED && code !== NOTHING_CAME)
  // Of what was refused before somebody was asked to knock, nothing is to be said.
  const daemon = await askDaemon(args, isKnown ? Number.POSITIVE_INFINITY : seconds === undefined ? 0 : beganMs)
  const notes: string[] = [...arrived.notes]
  const { config } = read
  const isUnknown = daemon.status === undefined && daemon.findings.length === 0
  const here: Finding[] = [...daemon.findings]
  if (config !== undefined) {
    if (isUnknown) here.push(...standing(args, world))
    const stale = daemon.status && notInForce(daemon.status, config)
    if (stale !== undefined) here.push(stale)
    const looked = lookAtRules(config)
    notes.push(...looked.notes)
    const named = textOf(args, 'user')
    const about = named === undefined ? undefined : aboutUser(whoseOf(named, config), config)
    if (about !== undefined) notes.push(about)
    const services = ofServices(config, readListeningPorts(), looked.chains)
    here.push(...ofUnit(config, daemon.status !== undefined), ...looked.findings, ...services)
  } else if (isUnknown)
    here.push({ code: 'daemon', sentence: 'no daemon runs, so no knock is heard', mend: 'systemctl start postern' })
  const findings = [...read.findings, ...heardOf(arrived, here), ...here]
  if (config === undefined) return withClock({ findings, notes })
  const mostMs = config.spa.enabled ? config.spa.windowMs : config.fwknop?.settings.maxAgeMs
  // letmein's exchange needs no clock.
  if (mostMs === undefined) return { findings, notes }
  return withClock({ findings, notes }, `${mostMs / 1000} s`)
}

/** Throws UsageError. */
function listeningSeconds(args: Arguments): number | undefined {
  const text = textOf(args, 'listen')
  return text === undefined ? undefined : wholeSeconds('--listen', text, LISTEN_BOUNDS)
}

/** Ahead of all else, so that the daemon's own word on that knock is there to be asked for. */
async function listen(
  args: Arguments,
  config: ServerConfig | undefined,
  seconds: number | undefined,
  world: World,
): Promise<Report> {
  if (seconds === undefined || config === undefined) return { findings: [], notes: [] }
  const named = textOf(args, 'user')
  const whose: Whose = named === undefined ? { kind: 'anybody' } : whoseOf(named, config)
  return listenFor(whose, config, seconds, world)
}

/** That no RESPONSE came is nothing to say where something of this host's explains it: a daemon that is down, a rule that drops. */
function heardOf({ findings }: Report, here: readonly Finding[]): readonly Finding[] {
  return here.length === 0 ? findings : findings.filter(({ code }) => code !== UNANSWERED)
}

/** Throws UsageError. */
function whoseOf(named: string, config: ServerConfig): Whose & { kind: 'user' | 'stanza' } {
  const { people, users, fwknop, file } = config
  const meant = userNamed(named, config)
  const id = 'user' in meant ? meant.user : undefined
  if (id !== undefined && users.has(id)) return { kind: 'user', user: id }
  const stanza = fwknop?.settings.stanzas.find(({ title, user }) => title === named || user === id)
  if (stanza !== undefined) return { kind: 'stanza', stanza }
  const names = [...users.keys()].map((user) => people.get(user)?.name ?? formatId(user))
  throw new UsageError(
    `--user ${quote(named)}: ${file} has no user of this name or id with a key (it has ${knownWords(names)})${didYouMean(named, names)}`,
  )
}

/** What both sides can say aloud; fwknop's passphrases have nothing of the kind. */
function aboutUser(whose: Whose, config: ServerConfig): string | undefined {
  if (whose.kind !== 'user') return undefined
  const { people, spa, users } = config
  const who = userWords(whose.user, people.get(whose.user))
  return `${who} has key check ${keyCheck(users.get(whose.user)!, spa.realm)}; here it is ${new Date().toISOString()}`
}

/** The file as the daemon would read it. */
function readConfig(args: Arguments, world: World): { config?: ServerConfig; findings: Finding[] } {
  try {
    const config = configOf(args, world)
    const findings = warningsForDaemon(config).map((sentence): Finding => {
      const [what, mend = 'posternd check'] = sentence.split(/: (?=ch(?:grp|mod|own) )/)
      return { code: 'config-permission', sentence: what!, mend }
    })
    return { config, findings }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const code = error.code === 'permission' ? 'config-permission' : 'config'
    const mend = error.code === 'missing' ? 'posternd init' : 'posternd check'
    const [first = '', ...others] = error.message.split('\n')
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    return {
      findings: [{ code, sentence: `the configuration cannot be used: ${first}${more}`, mend }],
    }
  }
}

async function askDaemon(args: Arguments, sinceMs: number): Promise<{ status?: DaemonStatus; findings: Finding[] }> {
  const path = controlPathOf(args)
  try {
    const status = await daemonStatus(path)
    if (status === undefined) return { findings: [] }
    const { events } = await ask(path, 0)
    const late = events.filter(({ atMs }) => atMs >= sinceMs)
    return { status, findings: [...ofDaemon(status), ...ofRefusals(late, status.nowMs, status.untrustedBelowMs)] }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if (error.code === 'absent') return { findings: [] }
    const mend = error.code === 'denied' ? 'sudo posternd doctor' : 'systemctl restart postern'
    return { findings: [{ code: `daemon-${error.code}`, sentence: error.message, mend }] }
  }
}

function standing(args: Arguments, world: World): Finding[] {
  try {
    return withoutDaemon(kernelSide(args, world))
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error
    const mend = error.code === 'permission' ? 'sudo posternd doctor' : 'apt-get install nftables'
    return [{ code: `firewall-${error.code}`, sentence: error.message, mend }]
  }
}
