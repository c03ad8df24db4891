/**
 * `posternd check --stealth`: whether a stranger can tell knock port and guarded ports from this host's closed ones. It is tried in a
 * copy: a veth into the host would be a new interface among its rules and for whatever manages its network, and lo, which every
 * firewall accepts, would show nothing. docs/OPERATIONS.md, "Can it be seen?".
 */
import { dirname, join } from 'node:path'
import type { ServerConfig } from '../../config/types.js'
import { closedWay } from '../../firewall/closed.js'
import { hearsLetmein } from '../../firewall/letmein-words.js'
import type { Closed } from '../../firewall/ruleset.js'
import { ownTable } from '../../firewall/ruleset.js'
import { readTemplates } from '../../firewall/templates.js'
import { FirewallError } from '../../firewall/types.js'
import type { Difference } from '../../stealth/compare.js'
import { lookWords, type Observation } from '../../stealth/look.js'
import type { Mend } from '../../stealth/mend.js'
import { formatId } from '../../wire/ids.js'
import { EXIT, type ExitCode } from '../exit.js'
import type { Printer } from '../print.js'
import { hostAddresses, hostRules, listing, rulesNaming } from './host-rules.js'
import { readListeningPorts } from './listening-ports.js'
import { type HostAddress, RulesetCopy } from './ruleset-copy.js'

const MOST_PORTS = 8
/** Where knocks are heard on any port, each is as good. */
const ANY_PORT = 5800
const LOCAL_IN = 1

interface Seen {
  readonly observations: readonly Observation[]
  readonly differences: readonly (Difference & { readonly mend: Mend })[]
}

/** Tries it and says what it found: exit 0 where nothing stands out. Throws FirewallError where no copy can be made. */
export async function checkStealth(config: ServerConfig, printer: Printer): Promise<ExitCode> {
  const { nft, table } = config.firewall
  const { addresses, others } = hostAddresses()
  if (addresses.length === 0)
    throw new FirewallError('missing', 'no interface has a global address: expected one that the world comes in by')
  const rules = hostRules(nft, table)
  const knockPort = config.spa.ports === 'any' ? ANY_PORT : (config.spa.ports[0] ?? ANY_PORT)
  const copy = await RulesetCopy.make(addresses, devicesIn(rules, others))
  try {
    load(copy, config, rules)
    const found = await look(copy, config, addresses, knockPort)
    const unhidden = [...listeners(config, knockPort, found)]
    tell(addresses, found, unhidden, listing(nft), config, printer)
    const all = found.flatMap(({ differences }) => differences)
    if (all.length > 0) {
      mendInCopy(copy, config, all, rules)
      const again = await look(copy, config, addresses, knockPort)
      const left = again.reduce((sum, { differences }) => sum + differences.length, 0)
      printer.line(
        left === 0
          ? 'tried in a copy of these rules: with that done nothing stands out'
          : 'tried in a copy of these rules: that alone does not mend all of it',
      )
    }
    return all.length + unhidden.length === 0 ? EXIT.ok : EXIT.failed
  } finally {
    copy.close()
  }
}

/** Devices that the rules name have to be there, or rules with iif would not load. */
function devicesIn(rules: string, devices: readonly string[]): string[] {
  return devices.filter((name) => rules.includes(`"${name}"`))
}

/** The host's rules, and postern's as this configuration makes them, whether the daemon runs or not. */
function load(copy: RulesetCopy, config: ServerConfig, rules: string): void {
  const { nft, table } = config.firewall
  try {
    copy.run([nft, '-f', '-'], rules)
  } catch (error) {
    throw new FirewallError(
      'nft',
      `this host's rules cannot be loaded a second time (${(error as Error).message}), as those that iptables made often cannot: look from another machine, by postern probe`,
      { cause: error },
    )
  }
  copy.run([nft, '-f', '-'], ownRules(config, rules))
  const [user] = config.users.keys()
  if (hearsLetmein(config) && user !== undefined)
    copy.run([nft, `add element inet ${table} letmein_users { 0x${formatId(user)} }`])
}

function ownRules(config: ServerConfig, rules: string): string {
  const policy = /hook input [^\n]*policy drop;/.test(rules) ? 'drop' : 'accept'
  const chain = { family: 1, table: '', chain: '', hook: LOCAL_IN, priority: 0, policy } as const
  return own(config, closedWay(config, { baseChains: () => [chain] }))
}

function own(config: ServerConfig, closed: Closed): string {
  const { table } = config.firewall
  return `table inet ${table}\ndelete table inet ${table}\n${ownTable(config, readTemplates(), closed).text}`
}

/** What `postern probe` sees in the stranger's place, for each address. */
function look(
  copy: RulesetCopy,
  config: ServerConfig,
  addresses: readonly HostAddress[],
  knockPort: number,
): Promise<Seen[]> {
  const client = join(dirname(process.argv[1]!), '../../bin/postern')
  const guarded = [...config.resources.values()].flatMap(({ target }) =>
    target.kind === 'ports'
      ? target.protocols.flatMap((protocol) => target.ports.map(({ first }) => `${first}/${protocol}`))
      : [],
  )
  const [user = 0] = config.users.keys()
  const words = ['--port', String(knockPort), '--user', formatId(user), '--json']
  const looks = addresses.map(async ({ address }) => {
    const argv = [process.execPath, client, 'probe', address, ...guarded.slice(0, MOST_PORTS)]
    const said = JSON.parse(await copy.asStranger([...argv, ...words])) as {
      addresses?: Seen[]
      error?: { message: string }
    }
    if (said.addresses === undefined) throw new FirewallError('kernel', `in the copy: ${said.error?.message}`)
    return said.addresses[0]!
  })
  return Promise.all(looks)
}

/** What no rule shows: sockets of this host at the knock port. The copy has none. */
function* listeners(config: ServerConfig, port: number, found: readonly Seen[]): Generator<string> {
  const { enabled, ports } = config.letmein
  if (enabled && ports.tcp.length > 0)
    yield `letmein over TCP answers every SYN at port ${ports.tcp.join(', ')} and is never hidden: [GENERAL] port = ${port} / udp`
  const isSilent = found.every(({ observations }) =>
    observations.every(
      ({ role, protocol, look: seen }) => role !== 'closed' || protocol !== 'udp' || seen === 'silent',
    ),
  )
  if (!isSilent && readListeningPorts().udp.has(port))
    yield `a program is bound to UDP ${port}, which is silent then where closed ports answer: end it (ss -ulpn sport = :${port}), or knock at another port`
}

function tell(
  addresses: readonly HostAddress[],
  found: readonly Seen[],
  unhidden: readonly string[],
  rules: string,
  config: ServerConfig,
  printer: Printer,
): void {
  for (const [i, { address }] of addresses.entries()) {
    const { observations, differences } = found[i]!
    const closed = observations.filter(({ role }) => role === 'closed')
    const [udp, tcp] = (['udp', 'tcp'] as const).map((name) => closed.find(({ protocol }) => protocol === name)!)
    const verdict = differences.length === 0 ? 'cannot be told' : 'can be told'
    printer.line(
      `${address}: knock port and guarded ports ${verdict} from closed ports (of which UDP is ${lookWords(udp!)}, TCP is ${lookWords(tcp!)})`,
    )
    for (const { seen, mend } of differences) {
      const deletions = rulesNaming(seen.protocol, seen.port, rules, config.firewall.table)
      printer.line(`  ${mend.why}`)
      if (seen.role === 'knock' && deletions.length > 0) for (const command of deletions) printer.line(`    ${command}`)
      else printer.line(`    ${mend.cure}${mend.setting === undefined ? '' : `: ${mend.setting}`}`)
      if (mend.command !== undefined) printer.line(`    or: ${mend.command}`)
    }
  }
  for (const line of unhidden) printer.line(`  ${line}`)
}

/** Does in the copy what is proposed. */
function mendInCopy(copy: RulesetCopy, config: ServerConfig, all: Seen['differences'], rules: string): void {
  const { nft, table } = config.firewall
  const closed = all.flatMap(({ mend }) => /^\[FIREWALL\] closed = (drop|reject)$/.exec(mend.setting ?? '')?.[1] ?? [])
  for (const { seen, mend } of all) {
    const deletions = rulesNaming(seen.protocol, seen.port, copy.run([nft, '-a', 'list', 'ruleset']), table)
    if (seen.role === 'knock' && deletions.length > 0)
      for (const command of deletions) copy.run([nft, ...command.split(' ').slice(1)])
    else if (mend.command !== undefined) copy.run(['sh', '-c', mend.command])
  }
  const letmein = all.some(({ sign }) => sign === 'letmein') ? { ...config.letmein, enabled: false } : config.letmein
  const mended = { ...config, letmein }
  copy.run([nft, '-f', '-'], closed[0] === undefined ? ownRules(mended, rules) : own(mended, closed[0] as Closed))
}
