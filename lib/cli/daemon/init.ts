/** `posternd init`: a working installation by a few questions, or by flags alone. It guards nothing yet: the trial comes next. */
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ConfigError, quote } from '../../config/error.js'
import { daemonGroups, hostFacts, SERVER_FILES } from '../../config/files.js'
import { formatRange } from '../../config/ports.js'
import { readServerConfig } from '../../config/server.js'
import { userName } from '../../config/users.js'
import { writeFileOnce } from '../../config/write-file.js'
import { isTerminal, Questions } from '../ask.js'
import type { Command, World } from '../command.js'
import { EXIT } from '../exit.js'
import { type Arguments, isGiven, type Option, textOf } from '../options.js'
import { table } from '../print.js'
import { UsageError } from '../usage.js'
import { checkRuleset } from './check-ruleset.js'
import { freshKey } from './enroll.js'
import { installUnits, tellInstalled, tellSystemd } from './init/install.js'
import { type Survey, survey } from './init/survey.js'
import { CHECKS, configText, type Wishes, wishedPorts } from './init/wishes.js'

const [CONFIG] = SERVER_FILES

const OPTIONS: readonly Option[] = [
  { name: 'protect', value: 'PORTS', describe: 'TCP ports to guard, like 22,8000-8010', preset: "sshd's" },
  { name: 'host', value: 'HOST', describe: 'where clients reach this server', preset: "this host's name" },
  { name: 'realm', value: 'TEXT', describe: 'a name for this server that no other has', preset: 'HOST' },
  { name: 'knock-port', value: 'PORT', describe: 'UDP port where knocks are heard, or any', preset: '5800' },
  { name: 'user', value: 'NAME', describe: 'the first user', preset: 'who calls this' },
  { name: 'yes', alias: 'y', describe: 'ask nothing; nothing is asked without a terminal either' },
  { name: 'force', describe: 'over files that are there, of which copies are kept' },
  { name: 'no-units', describe: 'leave systemd alone' },
  { name: 'root', value: 'DIR', describe: 'install into DIR, for packages and images', preset: '/' },
]

export const init: Command = {
  name: 'init',
  positionals: '',
  describe: 'make a working installation: configuration with a first user and key, systemd units; guards nothing yet',
  options: OPTIONS,
  examples: [
    ['posternd init', 'asks a few questions'],
    ['posternd init --yes --protect 22 --host gate.example.org', 'asks none'],
  ],
  run: async (args, world) => {
    const { printer, env } = world
    refuseArguments(args)
    const root = textOf(args, 'root') ?? '/'
    const path = join(root, CONFIG)
    refuseEarly(path, root, args)
    const found = survey(root, env)
    for (const note of found.notes) printer.line(`note: ${note}`)
    const wishes = await wishesOf(args, found, env)
    if (wishes === undefined) {
      printer.line('Nothing was changed.')
      return EXIT.failed
    }
    const text = configText(wishes, freshKey(world))
    const config = readServerConfig(text, path, hostFacts())
    const unchecked = checkRuleset(config)
    install({ args, world, root, path, text, found })
    for (const warning of config.warnings) printer.error(`warning: ${warning}`)
    printer.line(unchecked === undefined ? 'Checked: nft takes the ruleset' : `Not checked: ${unchecked}`)
    if (isShort(wishes.host))
      printer.line(
        `note: clients will look for "${wishes.host}", which is no full name and no address: where it means nothing to them, first set host = NAME in [SPA] of ${path}`,
      )
    printer.line(
      root === '/'
        ? nextSteps(wishes, found)
        : `Installed into ${root}; on that host: posternd enroll ${wishes.user} --again`,
    )
    return EXIT.ok
  },
}

/** Ports with a blank between them come as words. Throws UsageError. */
function refuseArguments(args: Arguments): void {
  const [first] = args.positionals
  if (first === undefined) return
  const ports = textOf(args, 'protect')
  const isPort = !('misfit' in wishedPorts(args.positionals.join(',')))
  const meant = isPort ? [...(ports === undefined ? [] : [ports]), ...args.positionals].join(',') : '22'
  throw new UsageError(`${quote(first)}: expected no argument: posternd init, or posternd init --protect ${meant}`)
}

function refuseEarly(path: string, root: string, args: Arguments): void {
  if (root === '' || !existsSync(root)) throw new UsageError(`--root "${root}": expected a folder that is there`)
  if (root === '/' && process.geteuid?.() !== 0)
    throw new ConfigError(
      [{ file: path, line: 0, message: 'expected to be run as root: sudo posternd init' }],
      'permission',
    )
  if (existsSync(path) && !isGiven(args, 'force'))
    throw new UsageError(
      `${path} is there: posternd enroll NAME adds a user to it; --force makes a new one and keeps a copy (its users lose their access)`,
    )
}

/** What is wanted, by flags, questions and presets; undefined: no. Throws UsageError. */
async function wishesOf(args: Arguments, found: Survey, env: World['env']): Promise<Wishes | undefined> {
  const caller = [env['SUDO_USER'], env['USER'], env['LOGNAME']].find(
    (name) => name !== undefined && 'value' in userName(name),
  )
  const asks = isTerminal() && !isGiven(args, 'yes')
  const questions = asks ? new Questions() : undefined
  const take = async (flag: string, question: string, preset: string, check: (text: string) => string | undefined) => {
    const given = textOf(args, flag)
    const misfit = given === undefined ? undefined : check(given)
    if (misfit !== undefined) throw new UsageError(`--${flag}: ${misfit}`)
    return given ?? (questions === undefined ? preset : await questions.ask(question, preset, check))
  }
  try {
    const ports = await take('protect', 'TCP ports to guard', found.sshPorts.join(','), CHECKS.ports)
    const host = await take(
      'host',
      'Name or address that clients reach this host by',
      hostname() || 'localhost',
      CHECKS.host,
    )
    const knockPort = await take('knock-port', 'UDP port where knocks are heard, or any', '5800', CHECKS.knockPort)
    const user = await take('user', 'Your name, as the first user', caller ?? 'admin', CHECKS.user)
    const realm = textOf(args, 'realm') ?? host
    const misfit = CHECKS.realm(realm)
    if (misfit !== undefined) throw new UsageError(`--realm: ${misfit}`)
    if (questions !== undefined && !(await questions.isFine(`Write ${CONFIG}?`))) return undefined
    const reading = wishedPorts(ports)
    if ('misfit' in reading) throw new UsageError(`${reading.misfit}: expected ${reading.expected}`)
    const knock = knockPort === 'any' ? 'any' : Number(knockPort)
    return { ports: reading.value, sshPorts: found.sshPorts, knockPort: knock, host, realm, user }
  } finally {
    questions?.close()
  }
}

interface Installation {
  readonly args: Arguments
  readonly world: World
  readonly root: string
  readonly path: string
  readonly text: string
  readonly found: Survey
}

function install({ args, world: { printer, outside }, root, path, text, found }: Installation): void {
  const force = isGiven(args, 'force')
  const stamp = `.${new Date(outside.nowMs()).toISOString().replace(/:/g, '-').replace(/\.\d+/, '')}`
  const isHere = root === '/'
  if (!isGiven(args, 'no-units') && (!isHere || found.hasSystemd)) {
    tellInstalled(installUnits(root, { force, stamp }), printer, ' (--force)')
    if (isHere) tellSystemd(printer)
  }
  const gid = isHere && process.geteuid?.() === 0 ? daemonGroups()[0] : undefined
  const mode = gid === undefined ? 0o600 : 0o640
  const done = writeFileOnce(path, text, {
    mode,
    folderMode: 0o755,
    replaces: force,
    stamp,
    ...(gid !== undefined && { gid }),
  })
  if (done.kind === 'exists') throw new UsageError(`${path} is there by now: expected --force`)
  const owner = gid === undefined ? `mode ${mode.toString(8)}` : `root:postern, mode ${mode.toString(8)}`
  printer.line(`Wrote ${path} (${owner})${done.copy === undefined ? '' : `; what was there is ${done.copy}`}`)
  if (isHere && gid === undefined)
    printer.line(
      'There are no users for the daemon yet. Before you start it: useradd --system --user-group --shell /usr/sbin/nologin postern; ' +
        `the same for postern-listener; then chgrp postern ${path} && chmod 640 ${path}`,
    )
}

function nextSteps({ user, ports, host }: Wishes, { isRemote, hasSystemd }: Survey): string {
  const guarded = ports.map(formatRange).join(', ')
  const start = hasSystemd ? 'systemctl start postern' : 'posternd run &'
  const steps = [
    [`posternd enroll ${user} --again`, 'prints your line (--qr: as a code); on your own machine: postern add,'],
    ['', `and there: postern ssh-config ${host} --install, after which ssh knocks by itself`],
    ['posternd trust-clock', 'once, when the clock is right'],
    ['posternd trial 5m', `shuts ${guarded} to everybody but you; in five minutes the kernel takes it back`],
    [start, ''],
    ['posternd confirm', `in a new login, ssh ${host}, which came by a knock: from here on it is for good`],
    ...(hasSystemd ? [['systemctl enable postern-gate postern', 'from the next boot on, too']] : []),
  ]
  return [
    `Nothing is guarded yet. Next${isRemote ? ' (keep this login until you are in by another)' : ''}:`,
    table(steps.map(([command, why]) => (why === '' ? [`  ${command}`] : [`  ${command}`, `# ${why}`]))),
  ].join('\n')
}

/** A name without a dot means something at most in this host's own network. */
function isShort(host: string): boolean {
  return !/[.:]/.test(host)
}
