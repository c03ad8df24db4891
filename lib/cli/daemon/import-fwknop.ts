/** `posternd import fwknop`: a posternd.conf that refers to fwknopd's files, which stay as they are. */
import { existsSync } from 'node:fs'
import { Findings } from '../../config/error.js'
import { filesFor, hostFacts, SERVER_FILES, thisProcess } from '../../config/files.js'
import { readFwknopDaemon } from '../../config/fwknop-daemon.js'
import { shellWord } from '../../config/permissions.js'
import { readServerConfig } from '../../config/server.js'
import type { FwknopConfig, ServerConfig } from '../../config/types.js'
import type { World } from '../command.js'
import type { ExitCode } from '../exit.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { counted, finishImport, importTarget } from '../take-over.js'
import { UsageError } from '../usage.js'
import { fwknopWords } from './check-fwknop.js'
import { freshRealm, posternGroup } from './import-parts.js'

export const ACCESS_FILE = '/etc/fwknop/access.conf'
const CONFIG_FILE = '/etc/fwknop/fwknopd.conf'
const FWKNOP_PORT = 62_201

export const FWKNOP_OPTIONS: readonly Option[] = [
  {
    name: 'access-file',
    value: 'FILE',
    describe: "fwknop's access.conf, also as FILE behind fwknop",
    preset: ACCESS_FILE,
  },
  {
    name: 'config-file',
    value: 'FILE',
    describe: "fwknop's fwknopd.conf; none: it is not read",
    preset: `${CONFIG_FILE}, where it is there`,
  },
  { name: 'accept-without-hmac', describe: 'take stanzas without HMAC_KEY, too (anybody can change their packets)' },
]

/** Says what would be taken over, and does what the options ask for. Throws UsageError, ConfigError. */
export async function importFwknop(positional: string, args: Arguments, world: World): Promise<ExitCode> {
  if (textOf(args, 'access-file') !== undefined && args.positionals.length > 1)
    throw new UsageError('--access-file with FILE: expected one of them')
  const from = textOf(args, 'access-file') ?? positional
  const configFile = configFileOf(args)
  const to = importTarget(args, SERVER_FILES[0])
  const files = filesFor(thisProcess('daemon'))
  const realm = textOf(args, 'realm') ?? freshRealm(world.outside.random)
  const ports = portsOf(configFile, files)
  const text = [
    "# fwknop's clients and files stay as they are: what access.conf says is read from there.",
    '[GENERAL]',
    `port = ${ports} / udp`,
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
  const config = readServerConfig(text, to, hostFacts(), files)
  const fwknop = config.fwknop!
  const gid = posternGroup()
  const file = { mode: gid === undefined ? 0o600 : 0o640, folderMode: 0o755, ...(gid !== undefined && { gid }) }
  const told = { takes: takesOf(fwknop), differs: differencesOf(config, fwknop), warnings: config.warnings }
  return finishImport({ peer: 'fwknop', from, to, text, ...told, next: nextOf(fwknop, to, gid), file }, args, world)
}

function configFileOf(args: Arguments): string | undefined {
  const named = textOf(args, 'config-file')
  if (named === undefined) return existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined
  return named === 'none' ? undefined : named
}

/** Where fwknopd would hear, as [GENERAL] port says it. */
function portsOf(configFile: string | undefined, files: ReturnType<typeof filesFor>): string {
  if (configFile === undefined) return `${FWKNOP_PORT}`
  const findings = new Findings(configFile)
  // What is wrong with it is told when the whole is read.
  const { ports = [FWKNOP_PORT] } = readFwknopDaemon(files.read(configFile), { port: false, maxAge: false }, findings)
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
function differencesOf({ resources }: ServerConfig, { settings }: FwknopConfig): string[] {
  const guarded = [...resources.values()].map(({ name }) => name?.replace(/^fwknop-/, '').replace('-', '/') ?? '')
  return [
    `posternd shuts ${guarded.length === 0 ? 'nothing yet: [RESOURCES] says what' : guarded.join(', ')} by itself, whatever firewall the host has: no chain, no iptables (guard mode)`,
    'leases end in time, also when the daemon is dead, and live on over restarts; established connections stay',
    'the port that knocks go to is really shut: nothing is bound there, and no rule has to let it in',
    "IPv6 is guarded too; a client's datagram over IPv6 that says 0.0.0.0 opens for its IPv6 address (SOURCE ANY)",
    ...(settings.stanzas.some(({ keys }) => keys.hmac === undefined)
      ? [
          'a stanza without HMAC_KEY is taken as you said: its packets can be changed, and strangers make posternd decrypt',
        ]
      : ['the HMAC is checked before anything is decrypted; a stanza without HMAC_KEY is refused']),
    'a packet is taken once, over restarts too, also where it was encoded anew; ages over 3600 s are refused',
    'commands, NAT, GnuPG and other transports than UDP are refused by line when the files are read',
    'a name that fwknopd does not know is refused: it would pass over open_ports, and open every port',
    'the files are refused, not only warned of, where others can write them or read their keys',
  ]
}

function nextOf({ files }: FwknopConfig, to: string, gid: number | undefined): string[] {
  const isRoot = process.geteuid?.() === 0
  const words = files.map(shellWord).join(' ')
  return [
    ...(isRoot && gid === undefined
      ? [
          `systemd-sysusers && chgrp postern ${to} && chmod 640 ${to}    # there is no group postern yet (conf/sysusers.d)`,
        ]
      : []),
    `chgrp postern ${words} && chmod 640 ${words}    # posternd's own user reads them`,
    to === SERVER_FILES[0] ? 'posternd check' : `posternd check --config ${to}`,
    'systemctl disable --now fwknop-server    # its rules end here',
    'posternd trust-clock',
    'systemctl enable --now postern-gate postern',
  ]
}
