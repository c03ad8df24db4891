/** `posternd doctor`: why nobody gets in, in one sentence each, with the command that mends it. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../../config/error.js'
import type { ServerConfig } from '../../config/types.js'
import { userWords } from '../../daemon/called.js'
import { ControlError } from '../../daemon/control.js'
import type { DaemonStatus } from '../../daemon/status-answer.js'
import { type Chain, readListing } from '../../firewall/host/listing.js'
import { listRuleset } from '../../firewall/nft.js'
import { FirewallError } from '../../firewall/types.js'
import { parseId, type UserId } from '../../wire/ids.js'
import { keyCheck } from '../../wire/key-check.js'
import { ofClock } from '../clock-finding.js'
import type { Command, World } from '../command.js'
import { wholeSeconds } from '../duration.js'
import { type Finding, type Report, tellReport } from '../finding.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'
import { warningsForDaemon } from './check.js'
import { ofHost } from './doctor/host.js'
import { listenFor } from './doctor/listen.js'
import { ofRefusals } from './doctor/refusals.js'
import { listeningPorts, ofServices } from './doctor/services.js'
import { ofDaemon, withoutDaemon } from './doctor/standing.js'
import { configOf } from './kernel.js'
import { ask } from './log.js'
import { CONFIG_OPTION, controlPathOf, JSON_OPTION, RUN_DIR_OPTION, STATE_DIR_OPTION } from './options.js'
import { daemonStatus, withoutDaemon as kernelSide } from './status.js'

const FINE = [
  'nothing wrong was found on this side: daemon, gate, firewall, services, clock and the last refusals were looked at.',
  'A knock that opens nothing and is not in posternd log did not reach this host, or has another key or realm, or a time that is',
  'more than a minute off: posternd doctor --user USER --listen 60 says which, while he knocks; on the client: postern doctor HOST',
].join('\n')

const USER: Option = {
  name: 'user',
  alias: 'u',
  value: 'USER',
  describe: 'say also what to compare with this user’s machine: his id or his name',
}

const LISTEN: Option = {
  name: 'listen',
  alias: 'l',
  value: 'TIME',
  describe: 'with --user: hear his next knock ahead of every rule, for so long, and say what is wrong with it',
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
    ['posternd doctor --user alice --listen 60', 'while she knocks: whether it arrives, and how far her clock is off'],
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
  const arrived = await listen(args, read.config, seconds, world)
  const daemon = await askDaemon(args)
  const findings: Finding[] = [...read.findings, ...arrived.findings, ...daemon.findings]
  const notes: string[] = [...arrived.notes]
  const { config } = read
  if (config !== undefined) {
    if (daemon.status === undefined && daemon.findings.length === 0) findings.push(...standing(args, world))
    const { chains, note } = hostChains(config)
    if (note !== undefined) notes.push(note)
    const named = textOf(args, 'user')
    if (named !== undefined) notes.push(aboutUser(named, config))
    findings.push(...ofHost(config, chains), ...ofServices(config, listeningPorts(sockets()), chains))
  } else if (daemon.status === undefined && daemon.findings.length === 0)
    findings.push({ code: 'daemon', sentence: 'no daemon runs, so no knock is heard', mend: 'systemctl start postern' })
  findings.push(...ofClock())
  return { findings, notes }
}

/** Throws UsageError. */
function listeningSeconds(args: Arguments): number | undefined {
  const text = textOf(args, 'listen')
  if (text === undefined) return undefined
  if (textOf(args, 'user') === undefined)
    throw new UsageError('--listen without --user: expected whose knock: posternd doctor --user alice --listen 60')
  return wholeSeconds('--listen', text, LISTEN_BOUNDS)
}

/** Ahead of all else, so that the daemon's own word on that knock is there to be asked for. */
async function listen(
  args: Arguments,
  config: ServerConfig | undefined,
  seconds: number | undefined,
  world: World,
): Promise<Report> {
  if (seconds === undefined || config === undefined) return { findings: [], notes: [] }
  return listenFor(userNamed(textOf(args, 'user')!, config).id, config, seconds, world)
}

/** Throws UsageError. */
function userNamed(named: string, { people, users, file }: ServerConfig): { id: UserId; key: Uint8Array } {
  const id = [...people].find(([, { name }]) => name === named)?.[0] ?? parseId(named)
  const key = id === undefined ? undefined : users.get(id)
  if (id === undefined || key === undefined)
    throw new UsageError(`--user "${named}": ${file} has no user of this name or id with a key`)
  return { id, key }
}

/** What both sides can say aloud. Throws UsageError. */
function aboutUser(named: string, config: ServerConfig): string {
  const { id, key } = userNamed(named, config)
  const { people, spa } = config
  return `${userWords(id, people.get(id))} has key check ${keyCheck(key, spa.realm)}; here it is ${new Date().toISOString()}`
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

async function askDaemon(args: Arguments): Promise<{ status?: DaemonStatus; findings: Finding[] }> {
  const path = controlPathOf(args)
  try {
    const status = await daemonStatus(path)
    if (status === undefined) return { findings: [] }
    const { events } = await ask(path, 0)
    return { status, findings: [...ofDaemon(status), ...ofRefusals(events, status.nowMs)] }
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

/** None, and why, where nft cannot tell. */
function hostChains({ firewall }: ServerConfig): { chains: readonly Chain[]; note?: string } {
  try {
    return { chains: readListing(listRuleset(firewall.nft)) }
  } catch (error) {
    return {
      chains: [],
      note: `the host's own rules were not looked at: ${error instanceof Error ? error.message : error}`,
    }
  }
}

function sockets(): { tcp: string; udp: string } {
  const both = (name: string) => [`/proc/net/${name}`, `/proc/net/${name}6`].map(readText).join('')
  return { tcp: both('tcp'), udp: both('udp') }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
