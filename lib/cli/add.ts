/** `postern add`: takes the line that `posternd enroll` printed, by standard input or unseen on the terminal. */
import { existsSync } from 'node:fs'
import { type Meeting, meetingOf, withHost } from '../config/add-host.js'
import { readClientConfig } from '../config/client.js'
import { quote } from '../config/error.js'
import { clientFiles, firstThere, thisProcess } from '../config/files.js'
import { contains, formatRange } from '../config/ports.js'
import { readOwnFile, warningsOfReaders } from '../config/read-file.js'
import { changeFile } from '../config/replace-file.js'
import type { ClientHost } from '../config/types.js'
import { hostName } from '../config/values.js'
import { decodeEnrolment, ENROLL_PREFIX, type EnrolMisfit, type Enrolment } from '../wire/enrolment.js'
import { formatId } from '../wire/ids.js'
import { askUnseen, isTerminal, Questions, readInput } from './ask.js'
import type { Command, World } from './command.js'
import { EXIT } from './exit.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { table } from './print.js'
import { UsageError } from './usage.js'

const MISFITS: Readonly<Record<EnrolMisfit, string>> = {
  none: `no enroll line: expected what posternd enroll prints, which begins with ${ENROLL_PREFIX}`,
  version:
    'an enroll line of a later postern: expected postern1:…; install a newer postern here, or enroll again there',
  cut: 'the enroll line is cut: expected all of it; copy it whole, or scan it again',
  long: 'something is behind the end of the enroll line: expected that line alone',
  altered: 'the enroll line was altered on the way: expected it as posternd enroll printed it; copy it again',
  content: 'the enroll line says what no posternd writes: expected one that posternd enroll printed',
}

export const add: Command = {
  name: 'add',
  positionals: '',
  describe: 'take the line that posternd enroll prints: by standard input, or pasted where it is not shown',
  options: [
    {
      name: 'name',
      alias: 'n',
      value: 'NAME',
      describe: 'what to call the server',
      preset: 'its host, as the line says',
    },
    { name: 'config', alias: 'c', value: 'FILE', describe: 'file to write', preset: '~/.config/postern/postern.conf' },
    { name: 'force', describe: 'replace what the file says of a server of this name, whatever realm or user' },
    { name: 'yes', alias: 'y', describe: 'do not ask' },
  ],
  examples: [
    ['postern add', 'asks for the line and does not show it'],
    ['ssh root@gate posternd enroll alice | postern add', 'the line goes from there to here and is nowhere else'],
    ['postern add --name work <line.txt', 'then: postern knock work ssh'],
  ],
  run: async (args, { printer, env }) => {
    if (args.positionals.length > 0)
      throw new UsageError(
        'the line holds a key, and everybody on this machine can see command lines: expected it by standard input: ' +
          'postern add, then paste it (and as it was seen, change the key: posternd rotate USER)',
      )
    const path = textOf(args, 'config') ?? (env['POSTERN_CONFIG'] || clientFiles(env)[0])
    if (path === undefined || path === '') throw new UsageError('--config: expected a file, as there is no HOME')
    refuseToHide(path, args, env)
    const line = read(
      isTerminal() ? await askUnseen('The line that posternd enroll printed (it is not shown): ') : readInput(),
    )
    const name = nameOf(args, line)
    const before = stateOf(path, name, line)
    if (before.kind === 'realm' || before.kind === 'user') refuseOther(before.kind, before.known, line, args)
    printer.line(describe(name, line, path, before.kind))
    if (before.kind === 'same') return EXIT.ok
    if (isTerminal() && !isGiven(args, 'yes') && !(await isConfirmed())) {
      printer.line('Nothing was changed.')
      return EXIT.failed
    }
    write(path, name, line, args)
    printer.line(`Added. Next: ${nextOf(name, line)}`)
    return EXIT.ok
  },
}

const SSH_PORT = 22

/** What one does first with what was added: by hand, and where there is ssh, once for all. */
function nextOf(name: string, { resources }: Enrolment): string {
  const [resource] = resources
  const subject = resource === undefined ? 'PORT' : (resource.name ?? formatRange(resource.ports[0]!))
  const knock = `postern knock ${name} ${subject}`
  const hasSsh = resources.some(({ ports }) => ports.some((range) => contains(range, SSH_PORT)))
  return hasSsh ? `${knock}; or, for ssh to knock by itself: postern ssh-config ${name} --install` : knock
}

/** The line in what was typed or piped. Throws UsageError; nothing of it is shown. */
function read(input: string): Enrolment {
  const all = input.split('\n').filter((row) => row.trim() !== '')
  if (all.length === 0) throw new UsageError('nothing came: expected the line that posternd enroll prints')
  // A banner of the ssh that it came by may stand ahead of it.
  const begin = all.findIndex((row) => row.trim().startsWith(ENROLL_PREFIX))
  const rows = all.slice(Math.max(0, begin))
  const line = decodeEnrolment(rows.join('\n'))
  if ('why' in line) throw new UsageError(MISFITS[rows.length > 1 && line.why === 'altered' ? 'long' : line.why])
  return line
}

function nameOf(args: Arguments, { host }: Enrolment): string {
  const name = textOf(args, 'name') ?? host
  if ('misfit' in hostName(name) || /[[\]=]/.test(name) || /^[0-9]+$/.test(name))
    throw new UsageError(
      `--name ${quote(name)}: expected a name without blanks, "/", "[", "]" and "=", not digits alone`,
    )
  return name
}

/** A file of one's own hides the system's and letmein's: whoever knocks by those would do so no more. */
function refuseToHide(path: string, args: Arguments, env: World['env']): void {
  const [own, ...others] = clientFiles(env)
  if (path !== own || isGiven(args, 'force') || existsSync(path)) return
  const hidden = firstThere(others)
  if (hidden === undefined) return
  const cure = hidden.includes('letmein') ? 'postern import letmein --write first' : `--config ${hidden}`
  throw new UsageError(`${hidden} is what postern reads now, and ${path} would hide it: expected ${cure}, or --force`)
}

function stateOf(path: string, name: string, line: Enrolment): Meeting {
  if (!existsSync(path)) return { kind: 'new' }
  const reader = thisProcess('client')
  const { text, facts } = readOwnFile(path, reader)
  warningsOfReaders(path, facts, reader)
  return meetingOf(readClientConfig(text, path), name, line)
}

function refuseOther(kind: 'realm' | 'user', known: ClientHost, line: Enrolment, args: Arguments): void {
  if (isGiven(args, 'force')) return
  const [was, is] =
    kind === 'realm'
      ? [`with realm ${JSON.stringify(known.realm)}`, `the line is for realm ${JSON.stringify(line.realm)}`]
      : [`as user ${formatId(known.user!)}`, `the line is for user ${formatId(line.user)}`]
  throw new UsageError(
    `${known.name} is known ${was}, ${is}: expected --force to replace it, or --name NAME to keep both`,
  )
}

async function isConfirmed(): Promise<boolean> {
  const questions = new Questions()
  try {
    return await questions.isFine('Add it?')
  } finally {
    questions.close()
  }
}

/** Once more under the lock: somebody may have changed the file while this was asked. */
function write(path: string, name: string, line: Enrolment, args: Arguments): void {
  const change = (text: string | undefined) => {
    const meeting = text === undefined ? { kind: 'new' as const } : meetingOf(readClientConfig(text, path), name, line)
    if (meeting.kind === 'realm' || meeting.kind === 'user') refuseOther(meeting.kind, meeting.known, line, args)
    const changed = withHost(text ?? HEAD, name, line, 'known' in meeting ? meeting.known : undefined)
    readClientConfig(changed, path)
    return changed
  }
  changeFile(path, thisProcess('client'), change, { mode: 0o600, folderMode: 0o700 })
}

const HEAD =
  '# postern, the client’s file. It holds your keys: mode 600. Written by postern add; edit it as you like.\n'

const NEWS = { new: 'a new server', same: 'known, and the same: nothing to do', key: 'known: it is brought up to date' }

/** What turns the direction of text or is not to be seen must not make one server look like another to whoever is asked. */
function visible(text: string): string {
  return text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`)
}

/** What would be added, without the key. */
function describe(name: string, line: Enrolment, path: string, kind: string): string {
  const { host, port, realm, user, resources } = line
  const opens = resources.map(
    ({ id, name: called, ports, instant }) =>
      `${called ?? formatId(id)} (${ports.map(formatRange).join(',')}${instant ? ', instant' : ''})`,
  )
  return table([
    [
      'server',
      `${visible(name)}${name === host ? '' : ` (${visible(host)})`}, ${NEWS[kind as keyof typeof NEWS] ?? 'known: it is replaced'}`,
    ],
    ['knocks at', port === 'any' ? 'any UDP port' : `UDP port ${port}`],
    ['realm', visible(realm)],
    ['as user', formatId(user)],
    ['opens', opens.length > 0 ? opens.join(', ') : 'nothing yet'],
    ['file', path],
  ])
}
