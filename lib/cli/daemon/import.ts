/** `posternd import`: from letmein's server file, or fwknop's, to one of postern's. */
import { addOptions } from '../../config/add-options.js'
import { hostFacts, SERVER_FILES, thisProcess } from '../../config/files.js'
import { parseIni } from '../../config/ini.js'
import { formatRange } from '../../config/ports.js'
import { readOwnFile } from '../../config/read-file.js'
import { portsOf } from '../../config/resources.js'
import { readServerConfig } from '../../config/server.js'
import type { Resource, ServerConfig } from '../../config/types.js'
import { formatId } from '../../wire/ids.js'
import type { Command } from '../command.js'
import { textOf } from '../options.js'
import {
  counted,
  finishImport,
  type Import,
  importOptions,
  importSource,
  importTarget,
  refuseOptions,
} from '../take-over.js'
import { ACCESS_FILE, FWKNOP_OPTIONS, importFwknop } from './import-fwknop.js'
import { freshRealm, posternGroup, prepareService, realmWords, usersToMake } from './import-parts.js'

const [POSTERN_FILE, LETMEIN_FILE] = SERVER_FILES

export const importServer: Command = {
  name: 'import',
  positionals: 'letmein|fwknop [FILE]',
  describe:
    "take over letmein's or fwknop's server files: says what that means, and with --write makes a posternd.conf",
  options: [
    ...importOptions(POSTERN_FILE, "the file, and systemd's units and users where there are none"),
    {
      name: 'realm',
      value: 'TEXT',
      describe: 'a name for this server, the same at its clients',
      preset: 'a fresh one',
    },
    ...FWKNOP_OPTIONS,
  ],
  examples: [
    ['posternd import letmein', `what of ${LETMEIN_FILE} would be taken over, and what differs`],
    ['posternd import letmein --write && posternd check', `make ${POSTERN_FILE} of it`],
    ['posternd import fwknop', `what of ${ACCESS_FILE} would be taken over, which stays as it is`],
  ],
  run: async (args, world) => {
    const { peer, file: from } = importSource(args, { letmein: LETMEIN_FILE, fwknop: ACCESS_FILE })
    if (peer === 'fwknop') return importFwknop(from, args, world)
    refuseOptions(
      args,
      peer,
      FWKNOP_OPTIONS.map(({ name }) => name),
    )
    const to = importTarget(args, POSTERN_FILE)
    const original = readOwnFile(from, thisProcess('daemon')).text
    // What is wrong with it is told with letmein's file and line.
    readServerConfig(original, from)
    const realm = textOf(args, 'realm') ?? freshRealm(world.outside.random)
    const text = addOptions(`# Taken over from ${from}.\n${original}`, [
      { section: 'LETMEIN', name: 'enabled', value: 'yes', comment: ["letmein's clients are heard."] },
      { section: 'SPA', name: 'realm', value: realm, comment: ["Clients that use postern's own knock say the same."] },
    ])
    const config = readServerConfig(text, to, hostFacts())
    prepareService(to, args, world.printer, true)
    const gid = posternGroup()
    const file = { mode: gid === undefined ? 0o600 : 0o640, folderMode: 0o755, ...(gid !== undefined && { gid }) }
    const told = {
      peer,
      takes: takesOf(config, realmWords(realm, args)),
      differs: differencesOf(config, original),
      warnings: config.warnings,
    }
    return finishImport({ from, to, text, ...told, next: nextOf(config, to, gid), file }, args, world)
  },
}

function takesOf({ users, resources, letmein, firewall }: ServerConfig, realm: string): [string, string][] {
  const { udp, tcp } = letmein.ports
  const heard = [
    ...(udp === 'any' ? ['any UDP'] : udp.map((port) => `${port}/udp`)),
    ...tcp.map((port) => `${port}/tcp`),
  ]
  const { chain } = firewall
  const chains = chain && [chain.input, chain.forward, chain.output].filter((name) => name !== undefined)
  return [
    ['users with a key', counted([...users.keys()].map(formatId))],
    ['resources', counted([...resources.values()].map(resourceText))],
    ['control port', `${heard.join(', ')}; control-timeout ${letmein.controlTimeoutMs / 1000} s`],
    ['control-error-policy', letmein.errorPolicy],
    [
      'chains',
      chain ? `${chain.family} ${chain.table}: ${chains!.join(', ')}` : "none: postern's own table (guard mode)",
    ],
    ['realm', realm],
  ]
}

function resourceText(resource: Resource): string {
  const { id, users, target } = resource
  const what =
    target.kind === 'jump'
      ? `jump to ${target.jumps.map(({ chain }) => chain).join(' ')}`
      : `${target.protocols.join('+')} ${portsOf(resource).map(formatRange).join(' ')}`
  return `${formatId(id)} (${what}${users === undefined ? '' : `, ${users.length} users`})`
}

/** What an administrator of letmein would not expect; what has no meaning here, and that TCP can be seen, is warned of by line. */
function differencesOf({ letmein, spa, firewall }: ServerConfig, original: string): Import['differs'] {
  const { sections } = parseIni(original)
  const says = (section: string, name: string) =>
    sections.get(section)?.options.some((option) => option.name === name) ?? false
  const heard = spa.ports === 'any' ? 'any UDP port' : `UDP port ${spa.ports.join(', ')}`
  const isSaid = says('GENERAL', 'control-error-policy')
  return {
    here: [
      ...(isSaid && letmein.errorPolicy === 'always'
        ? ['control-error-policy = always is kept: strangers are answered; basic-auth answers none']
        : []),
      ...(isSaid
        ? []
        : ['control-error-policy is basic-auth, as the file says nothing (letmein: always): strangers get no answer']),
      ...(firewall.chain ? ['the chains are kept: stop letmeinfwd first, which empties them at its end'] : []),
      ...(says('NFTABLES', 'max-nr-rules')
        ? ['max-nr-rules has no meaning: [LIMITS] leases-per-user, and leases: of a resource']
        : []),
      `postern's own knock is heard too, at ${heard}, with the realm above: no client of letmein's has to change`,
    ],
    always: [
      'a recorded KNOCK gets silence, from anywhere, over restarts (letmein: a CHALLENGE, for ever)',
      'leases end in time, also when the daemon is dead, and live on over restarts and reloads (SIGHUP)',
      'the file is refused, not only warned of, where others can write it or read its keys',
    ],
  }
}

function nextOf({ firewall }: ServerConfig, to: string, gid: number | undefined): string[] {
  return [
    ...usersToMake(to, gid),
    to === POSTERN_FILE ? 'posternd check' : `posternd check --config ${to}`,
    `systemctl disable --now letmeind.service letmeind.socket letmeinfwd.service letmeinfwd.socket${firewall.chain ? '    # its leases end here' : ''}`,
    'posternd trust-clock',
    'systemctl enable --now postern-gate postern',
  ]
}
