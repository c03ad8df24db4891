/** `posternd import fwknop`: a posternd.conf that refers to fwknopd's files, which stay as they are. */
import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { Findings } from '../../config/error.js'
import { daemonGroups, filesFor, hostFacts, SERVER_FILES, thisProcess } from '../../config/files.js'
import { type FwknopDaemon, readFwknopDaemon } from '../../config/fwknop-daemon.js'
import { readServerConfig } from '../../config/server.js'
import type { FwknopConfig, ServerConfig } from '../../config/types.js'
import type { World } from '../command.js'
import type { ExitCode } from '../exit.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { counted, finishImport, type Import, importTarget } from '../take-over.js'
import { UsageError } from '../usage.js'
import { fwknopWords } from './check-fwknop.js'
import { freshRealm, posternGroup, prepareService, usersToMake } from './import-parts.js'
import { cureOf, unreadable } from './readable.js'

export const ACCESS_FILE = '/etc/fwknop/access.conf'
const CONFIG_FILE = '/etc/fwknop/fwknopd.conf'
const FWKNOP_PORT = 62_201

export const FWKNOP_OPTIONS: readonly Option[] = [
  {
    name: 'access-file',
    value: 'FILE',
    describe: "fwknop's access.conf, also as FILE behind fwknop",
    preset: `fwknopd.conf's ACCESS_FILE, else ${ACCESS_FILE}`,
  },
  {
    name: 'config-file',
    value: 'FILE',
    describe: "fwknop's fwknopd.conf; none: it is not read",
    preset: `${CONFIG_FILE}, where it is there`,
  },
  { name: 'accept-without-hmac', describe: 'take stanzas without HMAC_KEY, too (anybody can change their packets)' },
]

/** fwknopd lets a stanza without OPEN_PORTS open every port, which nobody means: posternd guards what is named. */
const RESOURCES_TO_NAME = `
# What stanzas without OPEN_PORTS may open: take the # away, and name your ports. What is not named is not touched.
# [RESOURCES]
# 00000022 = port: 22 / tcp / name: ssh
`

/** Says what would be taken over, and does what the options ask for. Throws UsageError, ConfigError. */
export async function importFwknop(positional: string, args: Arguments, world: World): Promise<ExitCode> {
  if (textOf(args, 'access-file') !== undefined && args.positionals.length > 1)
    throw new UsageError('--access-file with FILE: expected one of them')
  const configFile = configFileOf(args)
  const to = importTarget(args, SERVER_FILES[0])
  const files = filesFor(thisProcess('daemon'))
  const daemon = daemonOf(configFile, files)
  const named = textOf(args, 'access-file') ?? (args.positionals.length > 1 ? positional : undefined)
  // From where fwknopd was started is not known, which is what it takes another path by.
  const daemons = daemon.accessFile !== undefined && isAbsolute(daemon.accessFile) ? daemon.accessFile : undefined
  const from = resolve(named ?? daemons ?? positional)
  const realm = textOf(args, 'realm') ?? freshRealm(world.outside.random)
  const said = [
    "# fwknop's clients and files stay as they are: what access.conf says is read from there.",
    '[GENERAL]',
    `port = ${portsText(daemon)} / udp`,
    '',
    '[SPA]',
    "# Clients that use postern's own knock say the same.",
    `realm = ${realm}`,
    '',
    '[FWKNOP]',
    `access-file = ${from}`,
    ...(configFile === undefined ? [] : [`config-file = ${configFile}`]),
    ...(isGiven(args, 'accept-without-hmac') ? ['without-hmac = accept'] : []),
    '',
  ].join('\n')
  const config = readServerConfig(said, to, hostFacts(), files)
  const fwknop = config.fwknop!
  const isOpen = fwknop.settings.stanzas.some(({ openPorts }) => openPorts === undefined)
  const text = isOpen ? `${said}${RESOURCES_TO_NAME}` : said
  prepareService(to, args, world.printer, false)
  const gid = posternGroup()
  const file = { mode: gid === undefined ? 0o600 : 0o640, folderMode: 0o755, ...(gid !== undefined && { gid }) }
  const told = { takes: takesOf(fwknop), differs: differencesOf(config, fwknop), warnings: config.warnings }
  return finishImport(
    { peer: 'fwknop', from, to, text, ...told, next: nextOf(config, fwknop, to, gid), file },
    args,
    world,
  )
}

function configFileOf(args: Arguments): string | undefined {
  const named = textOf(args, 'config-file')
  if (named === undefined) return existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined
  return named === 'none' ? undefined : resolve(named)
}

/** What fwknopd.conf says. What is wrong with it is told when the whole is read. */
function daemonOf(configFile: string | undefined, files: ReturnType<typeof filesFor>): FwknopDaemon {
  if (configFile === undefined) return {}
  return readFwknopDaemon(files.read(configFile), { port: false, maxAge: false }, new Findings(configFile))
}

/** Where fwknopd would hear, as [GENERAL] port says it. */
function portsText({ ports = [FWKNOP_PORT] }: FwknopDaemon): string {
  return ports === 'any' ? 'any' : ports.join(',')
}

function takesOf(fwknop: FwknopConfig): [string, string][] {
  const [, stanzas = ''] = fwknopWords(fwknop)
  return [
    ['heard on', fwknop.ports === 'any' ? 'any UDP port' : `UDP port ${fwknop.ports.join(', ')}`],
    ['packets', `up to ${fwknop.settings.maxAgeMs / 1000} s old or ahead`],
    ['read unchanged', counted(fwknop.files)],
    ...stanzas.split('\n').map((row): [string, string] => ['stanza', row.trim()]),
  ]
}

/** What an administrator of fwknop would not expect. */
function differencesOf({ resources }: ServerConfig, { settings }: FwknopConfig): Import['differs'] {
  const guarded = guardedPorts(resources).join(', ')
  const hasOpen = settings.stanzas.some(({ keys }) => keys.hmac === undefined)
  return {
    here: [
      guarded === ''
        ? 'posternd shuts nothing yet, and nothing can be opened: no stanza has OPEN_PORTS, and there is no [RESOURCES]'
        : `posternd shuts ${guarded} by itself, ahead of whatever firewall the host has: no chain, no iptables (guard mode)`,
      ...(hasOpen
        ? [
            'a stanza without HMAC_KEY is taken as you said: its packets can be changed, and strangers make posternd decrypt',
          ]
        : []),
    ],
    always: [
      "what a lease lets through meets the host's own rules as before: where they drop by default, they have to accept the port",
      'leases end in time, also when the daemon is dead, and live on over restarts; established connections stay',
      'the port that knocks go to is really shut: nothing is bound there, and no rule has to let it in (one that does can go)',
      "IPv6 is guarded too; a client's datagram over IPv6 that says 0.0.0.0 opens for its IPv6 address (SOURCE ANY)",
      ...(hasOpen ? [] : ['the HMAC is checked before anything is decrypted; a stanza without HMAC_KEY is refused']),
      'a packet is taken once, over restarts too, also where it was encoded anew; ages over 3600 s are refused',
      'commands, NAT, GnuPG, other transports than UDP, and names that fwknopd does not know, are refused by line',
      'the files are refused, not only warned of, where others can write them or read their keys',
    ],
  }
}

/** `tcp/22`, of each resource that OPEN_PORTS makes. */
function guardedPorts(resources: ServerConfig['resources']): string[] {
  return [...resources.values()].flatMap(({ target }) =>
    target.kind === 'ports' ? target.ports.map(({ first }) => `${target.protocols.join()}/${first}`) : [],
  )
}

function nextOf({ resources }: ServerConfig, fwknop: FwknopConfig, to: string, gid: number | undefined): string[] {
  const isRoot = process.geteuid?.() === 0
  const guarded = guardedPorts(resources)
  const [tcp] = guarded.filter((port) => port.startsWith('tcp/'))
  return [
    ...(guarded.length === 0
      ? [`editor ${to}    # in [RESOURCES], name the ports that stanzas without OPEN_PORTS may open`]
      : []),
    ...usersToMake(to, gid),
    ...cureOf(unreadable(fwknop, isRoot ? daemonGroups() : [])).map(
      (command) => `${command}    # posternd's own user reads them`,
    ),
    to === SERVER_FILES[0] ? 'posternd check' : `posternd check --config ${to}`,
    'systemctl disable --now fwknop-server    # its rules end here',
    'posternd trust-clock',
    'systemctl enable --now postern-gate postern',
    `iptables -I INPUT -p tcp --dport ${tcp?.slice(4) ?? 22} -j ACCEPT    # only where the host's own rules drop it, and not before posternd shuts it`,
  ]
}
