/** `posternd check`: reads the configuration as the daemon would, and says what it means or what is wrong with it. */
import { daemonGroups, loadServerConfig } from '../../config/files.js'
import { formatRange } from '../../config/ports.js'
import type { Resource, ServerConfig } from '../../config/types.js'
import { counted } from '../../daemon/counted.js'
import { formatId } from '../../wire/ids.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit.js'
import { isGiven, type Option, textOf } from '../options.js'
import { table } from '../print.js'
import { UsageError } from '../usage.js'
import { fwknopMeaning, fwknopWords } from './check-fwknop.js'
import { checkRuleset } from './check-ruleset.js'
import { warningsForSleep } from './check-sleep.js'
import { checkStealth } from './check-stealth.js'
import { lookAtRules } from './doctor/rules.js'
import { ofUnit } from './doctor/unit.js'
import { CONFIG_OPTION, JSON_OPTION } from './options.js'
import { cureOf, unreadable } from './readable.js'

const STEALTH: Option = {
  name: 'stealth',
  describe: 'try in a copy of this host’s rules whether a stranger can tell that postern is here; exit 1 if so',
}

export const check: Command = {
  name: 'check',
  positionals: '',
  describe: 'read the configuration and say what it means; all errors at once, exit 78',
  options: [STEALTH, CONFIG_OPTION, JSON_OPTION],
  examples: [
    ['posternd check --stealth', 'as root; touches neither rules nor network of the host'],
    ['posternd check && systemctl reload postern', 'after each edit'],
  ],
  run: async (args, { printer, env }) => {
    if (args.positionals.length > 0)
      throw new UsageError(`"${args.positionals[0]}": expected no argument; --config FILE names a file`)
    const read = loadServerConfig(textOf(args, 'config') ?? env['POSTERN_CONFIG'])
    if (isGiven(args, 'stealth')) {
      if (isGiven(args, 'json')) throw new UsageError('--stealth with --json: expected one of them')
      return checkStealth(read, printer)
    }
    const untried = checkRuleset(read)
    const more = [
      ...warningsForDaemon(read),
      ...warningsForSleep(read),
      ...(untried === undefined ? warningsOfHost(read) : [untried]),
    ]
    const config = { ...read, warnings: [...more, ...read.warnings] }
    if (isGiven(args, 'json')) printer.line(JSON.stringify(meaningOf(config)))
    else {
      for (const warning of config.warnings) printer.error(`warning: ${warning}`)
      printer.line(inWords(config))
    }
    return EXIT.ok
  },
}

/** What of this host stands in postern's way, as the doctor finds it; nothing where nft cannot tell. */
function warningsOfHost(config: ServerConfig): string[] {
  const found = [...ofUnit(config, false), ...lookAtRules(config).findings]
  return found.map(({ sentence, mend }) => `${sentence}: ${mend}`)
}

/** Root may read what the monitor's own user may not: then the gate would come up, and no daemon. */
export function warningsForDaemon({ file, fwknop }: ServerConfig): string[] {
  const groups = daemonGroups()
  if (process.geteuid?.() !== 0 || groups.length === 0) return []
  const paths = { files: [file, ...(fwknop?.files ?? [])], folders: fwknop?.folders ?? [] }
  return unreadable(paths, groups).map((one) => {
    const how = one.mode === '640' ? 'read it' : 'look into it'
    return `${one.path}: user postern may not ${how}, so the daemon would not start: ${cureOf([one])[0]}`
  })
}

/** Everything but keys. */
function meaningOf(config: ServerConfig): object {
  const { file, spa, firewall, letmein, warnings } = config
  const users = [...config.users.keys()].map(formatId)
  const resources = [...config.resources.values()].map(({ line: _, id, users: allowed, ...resource }) => ({
    id: formatId(id),
    ...resource,
    ...(allowed === undefined ? {} : { users: allowed.map(formatId) }),
  }))
  const fwknop = config.fwknop === undefined ? {} : { fwknop: fwknopMeaning(config.fwknop) }
  return { file, mode: firewall.mode, spa, letmein, ...fwknop, users, resources, warnings }
}

function inWords(config: ServerConfig): string {
  const { spa, firewall } = config
  const heard = spa.ports === 'any' ? 'any UDP port' : `UDP port ${spa.ports.join(', ')}`
  const rows = [...config.resources.values()].map((resource) => [
    formatId(resource.id),
    resource.name ?? '',
    targetOf(resource),
    `${resource.timeoutMs / 1000} s`,
    whoOf(resource),
    [
      resource.instant && 'instant',
      resource.cut && 'cut',
      resource.connections > 0 && `${resource.connections} connections`,
    ]
      .filter(Boolean)
      .join(', '),
  ])
  return [
    `${config.file}: good`,
    spa.enabled
      ? `knocks are heard on ${heard}; realm ${JSON.stringify(spa.realm)}; window ${spa.windowMs / 1000} s`
      : 'postern SPA is off',
    ...letmeinWords(config),
    ...fwknopWords(config.fwknop),
    `${firewall.mode} mode; ${counted(config.users.size, 'user')}; ${counted(config.resources.size, 'resource')}`,
    table(rows),
  ].join('\n')
}

function letmeinWords({ letmein: { enabled, ports, errorPolicy } }: ServerConfig): string[] {
  if (!enabled) return []
  const udp = ports.udp === 'any' ? ['any UDP port'] : ports.udp.map((port) => `UDP ${port}`)
  const where = [...udp, ...ports.tcp.map((port) => `TCP ${port}`)].join(', ')
  return [`letmein's clients are heard on ${where}; control-error-policy ${errorPolicy}`]
}

/** Nobody of [KEYS] may open what OPEN_PORTS alone names. */
function whoOf({ users }: Resource): string {
  if (users === undefined) return 'every user'
  return users.length === 0 ? "fwknop's stanzas alone" : `users ${users.map(formatId).join(', ')}`
}

function targetOf({ target }: Resource): string {
  if (target.kind === 'jump') return target.jumps.map((jump) => `${jump.hook} jumps to ${jump.chain}`).join(', ')
  return `${target.protocols.join(',')} ${target.ports.map(formatRange).join(',')}`
}
