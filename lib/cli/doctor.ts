/** `postern doctor`: why one does not get in, as far as it can be told from this side, in one sentence with the command that mends it. */
import { KnockError } from '../client/error.js'
import { examine } from '../client/examine.js'
import { perform } from '../client/perform.js'
import { tryPort } from '../client/try-port.js'
import { ConfigError } from '../config/error.js'
import { configFor } from '../config/hosts.js'
import { shellWord } from '../config/permissions.js'
import { formatId } from '../wire/ids.js'
import { keyCheck } from '../wire/key-check.js'
import { withClock } from './clock-finding.js'
import type { Command, World } from './command.js'
import { judgeKnock } from './doctor/knock.js'
import { type Finding, type Report, tellReport } from './finding.js'
import type { FwknopPlan } from './fwknop-plan.js'
import { carryOut } from './knock.js'
import { FWKNOP_OPTIONS, type KnockArguments, knockArguments } from './knock-arguments.js'
import { spaErrand } from './knock-errands.js'
import { sourceFor } from './knock-names.js'
import { DOCTOR_OPTIONS } from './knock-options.js'
import { type Plan, planKnock, type Source } from './knock-plan.js'
import { readSource } from './knock-source.js'
import { type Arguments, isGiven, textOf } from './options.js'

const TIMEOUT_MS = 4_000
/** letmeind has no doctor. */
const AT_SERVER =
  'posternd doctor --listen 60   # on the server, while this machine knocks again; of a letmeind: journalctl -u letmeind -u letmeinfwd -n 20'
const FINE = 'nothing wrong was found: the knock was sent, and the port is open'

export const doctor: Command = {
  name: 'doctor',
  positionals: 'HOST [PORT…]',
  describe: 'find why one does not get in: knocks, looks, and says it in one sentence with the command that mends it',
  options: DOCTOR_OPTIONS,
  examples: [
    ['postern doctor gate.example.org', 'all that the file says of this host'],
    ['postern doctor -6 gate.example.org 22', 'one port, by IPv6 alone'],
    ['postern doctor --protocol fwknop gate tcp/22', 'at a fwknopd, with the keys of [gate] in ~/.fwknoprc'],
  ],
  run: async (args, world) => {
    return tellReport(await examineAll(args, world), FINE, isGiven(args, 'json'), world.printer)
  },
}

async function examineAll(args: Arguments, world: World): Promise<Report> {
  try {
    return withClock(await examineHost(args, world))
  } catch (error) {
    const found = ofError(error)
    if (found === undefined) throw error
    return { findings: [found], notes: [] }
  }
}

async function examineHost(args: Arguments, world: World): Promise<Report> {
  const { env, outside } = world
  const source = await readSource(args, env)
  if (isByFwknop(args, source)) return byFwknop(args, source, world)
  const asked = knockArguments(withPorts(args, source), source.host !== undefined, 'doctor')
  const plan = planKnock(asked, source)
  const ports = plan.subjects.flatMap(({ probePort }) => probePort ?? [])
  const { identity, host } = plan
  const who = formatId(identity.user)
  const about = {
    host: asked.host ?? source.host!,
    address: host,
    compare: `user ${who} with key check ${keyCheck(identity.key, identity.realm)}, and the knock’s port`,
    mend: `posternd doctor --user ${who} --listen 60   # on the server, while this machine knocks again: it says what is wrong with the knock`,
    canRevoke: true,
    controlPort: plan.controlPort,
    nowMs: outside.nowMs(),
  }
  if (plan.protocol === 'letmein') return byExchange(plan, asked, source, outside, host)
  // All go out at once, so the tries are the examination's to space.
  const { wait: _, ...errand } = { ...spaErrand(plan, asked, 'open'), tries: 1 }
  const place = { host, families: errand.families, ports: [...new Set(ports)] }
  const examined = await examine(place, () => perform(errand, outside), TIMEOUT_MS, outside, tryPort)
  const isShut = examined.seen.length > 0 && examined.seen.every(({ after }) => after.kind !== 'open')
  const exchangeGotIn =
    isShut && plan.protocol === 'auto' && (await exchange(plan, asked, source, outside)) === undefined
  return judgeKnock(examined, { ...about, exchangeGotIn })
}

/** The command line comes before the file. */
function isByFwknop(args: Arguments, { config, host }: Source): boolean {
  const named = textOf(args, 'protocol')
  if (named !== undefined) return named === 'fwknop'
  const name = args.positionals[0] ?? host ?? ''
  return FWKNOP_OPTIONS.some((option) => isGiven(args, option)) || configFor(config, name).config.protocol === 'fwknop'
}

async function byFwknop(args: Arguments, source: Source, world: World): Promise<Report> {
  const asked = knockArguments(args, source.host !== undefined || isGiven(args, 'stanza'), 'doctor')
  const name = asked.host ?? source.host
  const place = name === undefined ? undefined : { name, address: configFor(source.config, name).address }
  const { plannedFwknop } = await import('./knock-fwknop.js')
  const { examineFwknop, ofFwknopFiles } = await import('./doctor/fwknop.js')
  let plan: FwknopPlan
  try {
    plan = plannedFwknop({ args, asked, operation: 'open', source, place, world })
  } catch (error) {
    const found = ofFwknopFiles(error)
    if (found === undefined) throw error
    return { findings: [found], notes: [] }
  }
  return examineFwknop(plan, name ?? plan.errand.host, asked.families, world.outside)
}

/** letmein answers, so its own words say what is wrong. */
async function byExchange(
  plan: Plan,
  asked: KnockArguments,
  source: Source,
  outside: World['outside'],
  host: string,
): Promise<Report> {
  const why = await exchange(plan, asked, source, outside)
  if (why === undefined) return { findings: [], notes: [`letmein’s exchange with ${host} got in`] }
  return {
    findings: [{ code: 'exchange', sentence: why, mend: AT_SERVER }],
    notes: [],
  }
}

/** Why letmein's exchange did not get in; undefined: it did. */
async function exchange(
  plan: Plan,
  asked: KnockArguments,
  source: Source,
  outside: World['outside'],
): Promise<string | undefined> {
  try {
    const told = await carryOut({ plan: { ...plan, protocol: 'letmein' }, asked, operation: 'open', source, outside })
    return told.isDone ? undefined : told.failure
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Where no port is named: all TCP ports that the file has one resource each for. */
function withPorts(args: Arguments, source: Source): Arguments {
  const [host = source.host] = args.positionals
  const isNamed = args.positionals.length > 1 || args.values['resource'] !== undefined
  if (host === undefined || isNamed) return args
  const { config } = sourceFor(source, host).source
  const ports = [...config.resources.values()].flatMap(({ target }) => {
    if (target.kind !== 'ports' || !target.protocols.includes('tcp')) return []
    const [range, more] = target.ports
    return range !== undefined && more === undefined && range.first === range.last ? [String(range.first)] : []
  })
  return { ...args, positionals: [host, ...new Set(ports)] }
}

/** What keeps a knock from leaving at all. */
function ofError(error: unknown): Finding | undefined {
  if (error instanceof KnockError) {
    if (error.code === 'resolve') return { code: 'resolve', sentence: error.message, mend: 'getent ahosts HOST' }
    if (error.code !== 'send') return undefined
    const isBlocked = /\bE(PERM|ACCES)\b/.test(error.message)
    return {
      code: isBlocked ? 'blocked-here' : 'no-route',
      sentence: isBlocked ? `this machine’s own firewall does not let the knock out: ${error.message}` : error.message,
      mend: isBlocked ? 'sudo nft list ruleset   # an output chain that drops it' : 'ip route',
    }
  }
  if (!(error instanceof ConfigError)) return undefined
  const [{ file: named } = { file: '' }] = error.problems
  const file = named.replace(/ \(not there\)$/, '')
  const isPermission = error.code === 'permission'
  const [sentence = ''] = error.message.split('\n')
  return {
    code: isPermission ? 'permission' : 'config',
    sentence,
    mend: isPermission
      ? `chmod 600 ${shellWord(file)}`
      : `postern add   # takes the line that posternd enroll prints; or edit ${shellWord(file)}`,
  }
}
