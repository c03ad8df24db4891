/** `postern import`: from letmein's client file, or fwknop's, to one of postern's. */
import { type Addition, addOptions } from '../config/add-options.js'
import { readClientConfig } from '../config/client.js'
import { removeOptions } from '../config/edit.js'
import { clientFiles, thisProcess } from '../config/files.js'
import { formatRange } from '../config/ports.js'
import { readOwnFile } from '../config/read-file.js'
import { portsOf } from '../config/resources.js'
import type { ClientConfig } from '../config/types.js'
import { formatId, type UserId } from '../wire/ids.js'
import type { Command } from './command.js'
import { FWKNOP_OPTIONS, importFwknop, RC_FILE } from './import-fwknop.js'
import { textOf } from './options.js'
import {
  counted,
  finishImport,
  type Import,
  importOptions,
  importSource,
  importTarget,
  refuseOptions,
} from './take-over.js'

const LETMEIN_FILE = '/opt/letmein/etc/letmein.conf'

export const importClient: Command = {
  name: 'import',
  positionals: 'letmein|fwknop [FILE]',
  describe: "take over letmein's or fwknop's client file: says what that means, and with --write makes a postern.conf",
  options: [
    ...importOptions('~/.config/postern/postern.conf'),
    { name: 'realm', value: 'TEXT', describe: '[SPA] realm of a server that is posternd by now: knock by both' },
    ...FWKNOP_OPTIONS,
  ],
  examples: [
    ['postern import letmein', `what of ${LETMEIN_FILE} would be taken over`],
    ['postern import letmein ./letmein.conf --write', 'make ~/.config/postern/postern.conf of it'],
    ['postern import fwknop --stanza gate', `what of [gate] in ${RC_FILE} would be taken over, which stays as it is`],
  ],
  run: async (args, world) => {
    const { peer, file: from } = importSource(args, { letmein: LETMEIN_FILE, fwknop: RC_FILE })
    if (peer === 'fwknop') return importFwknop(from, args, world)
    refuseOptions(
      args,
      peer,
      FWKNOP_OPTIONS.map(({ name }) => name),
    )
    const to = importTarget(args, clientFiles(world.env)[0])
    const realm = textOf(args, 'realm')
    const original = readOwnFile(from, thisProcess('client')).text
    const told = readClientConfig(original, from).warnings
    const warnings = told.filter((warning) => !isOfSeccomp(warning))
    // Else each knock would warn of it.
    const hasSeccomp = warnings.length < told.length
    const kept = hasSeccomp ? removeOptions(original, 'GENERAL', (name) => name === 'seccomp') : original
    const text = addOptions(`# Taken over from ${from}.\n${kept}`, additions(realm))
    const config = readClientConfig(text, to)
    const differs = differencesOf(config, hasSeccomp)
    const imported = { peer, from, to, text, takes: takesOf(config), differs, warnings }
    const next = [`postern knock HOST PORT    # as before: letmein's -u, -r, -P, -T, -U, -4 and -6 are here, too`]
    return finishImport({ ...imported, next, file: { mode: 0o600, folderMode: 0o700 } }, args, world)
  },
}

function isOfSeccomp(warning: string): boolean {
  return warning.includes('[GENERAL] seccomp ')
}

function additions(realm: string | undefined): Addition[] {
  const comment = [
    "Where the server is posternd: its realm as [SPA] realm = …, and protocol = auto: postern's own knock first, which takes",
    "one datagram, and letmein's exchange where the port stays shut.",
  ]
  if (realm === undefined) return [{ section: 'CLIENT', name: 'protocol', value: 'letmein', comment }]
  return [
    { section: 'CLIENT', name: 'protocol', value: 'auto' },
    { section: 'SPA', name: 'realm', value: realm, comment: ["The same text as in the server's file."] },
  ]
}

function takesOf({ users, resources, defaultUser, port, protocol, realm }: ClientConfig): [string, string][] {
  const ports = [...resources.values()].map(
    (resource) => `${formatId(resource.id)} (${portsOf(resource).map(formatRange).join(',') || 'jump'})`,
  )
  return [
    ['users with a key', counted([...users.keys()].map(formatId))],
    ['default user', defaultUserText(defaultUser, [...users.keys()])],
    ['resources', counted(ports)],
    [
      'control port',
      `${port.udp}, ${port.protocols.join(' and ')}${port.protocols.length > 1 ? ' (TCP is taken)' : ''}`,
    ],
    ['protocol', realm === '' ? protocol : `${protocol}, realm ${JSON.stringify(realm)}`],
  ]
}

/** As with letmein: who knocks where no --user is said. Without any key in the file --key-file brings one. */
function defaultUserText(user: UserId, keyed: readonly UserId[]): string {
  const [first] = keyed
  if (first === undefined || keyed.includes(user)) return formatId(user)
  return `${formatId(user)}, who has no key here: knock with --user ${formatId(first)}, or say default-user = ${formatId(first)} in [CLIENT]`
}

function differencesOf({ protocol, port }: ClientConfig, hasSeccomp: boolean): Import['differs'] {
  return {
    here: [
      ...(protocol === 'auto'
        ? [`postern's own knock goes first, over UDP to port ${port.udp}; letmein's exchange where the port stays shut`]
        : []),
      ...(hasSeccomp ? ['seccomp is left out: it has no meaning for postern'] : []),
    ],
    always: [
      'a name with both families: both are knocked at together; an IPv6 that is dead costs nothing (letmein: 5 s)',
      'over UDP a lost datagram is made good by a fresh KNOCK; a closed port (ICMP) is told at once, with what to do',
      'the file holds keys: mode 600 (letmein advises 644)',
      'control-error-policy has no meaning for a client, and no warning',
    ],
  }
}
