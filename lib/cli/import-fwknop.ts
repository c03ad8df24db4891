/** `postern import fwknop`: a postern.conf that refers to ~/.fwknoprc, which stays as it is. */
import { resolve } from 'node:path'
import { withFwknopHost } from '../config/add-fwknop-host.js'
import { readClientConfig } from '../config/client.js'
import { ConfigError, quote } from '../config/error.js'
import { clientFiles, filesFor, thisProcess } from '../config/files.js'
import { type FwknopClientSettings, fwknopStanzas, readFwknopRc } from '../config/fwknop-rc.js'
import { portName } from '../wire/fwknop-types.js'
import type { World } from './command.js'
import type { ExitCode } from './exit.js'
import { type Arguments, isGiven, type Option, textOf } from './options.js'
import { finishImport, type Import, importTarget, refuseOptions } from './take-over.js'
import { UsageError } from './usage.js'

export const RC_FILE = '~/.fwknoprc'

export const FWKNOP_OPTIONS: readonly Option[] = [
  { name: 'fwknoprc', value: 'FILE', describe: "fwknop's client file, also as FILE behind fwknop", preset: RC_FILE },
  {
    name: 'stanza',
    alias: 'n',
    value: 'NAME',
    describe: "fwknop: the stanza that is meant, whatever the host's name",
    preset: "the host's own",
  },
]

/** Says what would be taken over, and does what the options ask for. Throws UsageError, ConfigError. */
export async function importFwknop(positional: string, args: Arguments, world: World): Promise<ExitCode> {
  refuseOptions(args, 'fwknop', ['realm'])
  if (isGiven(args, 'fwknoprc') && args.positionals.length > 1)
    throw new UsageError('--fwknoprc with FILE: expected one of them')
  const from = atHome(textOf(args, 'fwknoprc') ?? positional, world.env)
  const stanza = textOf(args, 'stanza')
  const to = importTarget(args, clientFiles(world.env)[0])
  const files = filesFor(thisProcess('client'))
  const { text: original, warnings } = files.readKeys(from)
  const names = stanza === undefined ? fwknopStanzas(original) : [stanza]
  if (names.length === 0) throw new ConfigError([{ file: from, line: 0, message: noStanza(original) }])
  const read = names.map((name) => stanzaOf(() => readFwknopRc(original, from, name, { files }), name, stanza))
  const text = [
    "# fwknop's own settings stay where they are, and are read from there.",
    '[CLIENT]',
    'protocol = fwknop',
    '',
    '[FWKNOP]',
    `rc-file = ${from}`,
    ...(stanza === undefined ? [] : [`stanza = ${stanza}`]),
    '',
  ].join('\n')
  readClientConfig(text, to)
  const good = read.flatMap(({ settings }) => settings ?? [])
  if (stanza !== undefined && good[0]?.keys === undefined)
    throw new ConfigError([
      {
        file: from,
        line: 0,
        message: `[${stanza}]: no key: expected KEY_BASE64 and HMAC_KEY_BASE64, as in access.conf`,
      },
    ])
  const host = good.find(({ server }) => server !== undefined)
  const target = stanza === undefined ? (host?.stanza ?? names[0]!) : (host?.stanza ?? 'HOST')
  return finishImport(
    {
      peer: 'fwknop',
      from,
      to,
      text,
      takes: good.map((settings) => [`[${settings.stanza}]`, stanzaText(settings)] as const),
      differs: differencesOf(stanza),
      warnings: [...warnings, ...read.flatMap(({ warnings: told }) => told)],
      next: [
        `postern knock --wait ${target}    # the ports of the stanza; or name them: postern knock ${target} tcp/22`,
      ],
      file: { mode: 0o600, folderMode: 0o700 },
      ...(stanza === undefined ? {} : { into: intoOf(good[0]!, from, to, world.env) }),
    },
    args,
    world,
  )
}

/** A client's file that is there keeps all that it says, and gets a section that refers to the stanza. */
function intoOf({ stanza, server }: FwknopClientSettings, rcFile: string, to: string, env: World['env']) {
  const host = { stanza: stanza!, rcFile, usualRcFile: atHome(RC_FILE, env), ...(server !== undefined && { server }) }
  return {
    section: `[HOST ${stanza}]`,
    change: (text: string) => withFwknopHost(text, to, host, (file) => atHome(file, env)),
  }
}

/** ~/.fwknop.run is a command line with keys, which fwknop itself can make a stanza of. */
function noStanza(text: string): string {
  return /^\s*\S*fwknop\s+-/.test(text)
    ? 'a command line that fwknop saved: have fwknop make a stanza of it: ' +
        "fwknop $(cut -d' ' -f2- ~/.fwknop.run) --save-rc-stanza -n NAME --test"
    : 'no stanza: expected [NAME] and what it says below it'
}

interface Read {
  readonly settings?: FwknopClientSettings
  readonly warnings: readonly string[]
}

/** The one that is asked for must be good; of all others it is said what they lack. */
function stanzaOf(read: () => FwknopClientSettings, name: string, asked: string | undefined): Read {
  try {
    const settings = read()
    return { settings, warnings: settings.warnings }
  } catch (error) {
    if (!(error instanceof ConfigError) || asked !== undefined) throw error
    return { warnings: [`stanza ${quote(name)} cannot be knocked with:`, ...error.message.split('\n')] }
  }
}

function atHome(file: string, env: World['env']): string {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? ''
  return resolve(file.startsWith('~/') ? `${home}${file.slice(1)}` : file)
}

function stanzaText({ server, port, randPort, access, allowIp, fwTimeout, keys }: FwknopClientSettings): string {
  return [
    `${server ?? 'no SPA_SERVER'}, ${randPort ? 'a random UDP port' : `UDP port ${port}`}`,
    access.length === 0 ? 'no ACCESS' : access.map(portName).join(','),
    `for ${allowIp ?? 'no ALLOW_IP: an address is needed'}`,
    ...(fwTimeout > 0 ? [`${fwTimeout} s`] : []),
    keys === undefined ? 'NO KEY' : keys.hmac === undefined ? 'NO HMAC' : `HMAC ${keys.hmac.digest}`,
  ].join('; ')
}

function differencesOf(stanza: string | undefined): Import['differs'] {
  return {
    here:
      stanza === undefined
        ? ['the stanza is the one of the host that is knocked at, by its name or its SPA_SERVER']
        : [],
    always: [
      'knock --wait returns when the port is open: nothing is lost to the second that a SYN is sent again after',
      'no command line is kept (fwknop: ~/.fwknop.run, with keys), and nobody is asked for a key',
      'GnuPG, NAT, other transports than UDP and forged sources are refused by line',
    ],
  }
}
