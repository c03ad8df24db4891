/** `postern knock` and `postern revoke`: from checked arguments and the client's file to one errand, and its report. */
import { performAuto } from '../client/auto.js'
import { knockAndWait } from '../client/letmein-wait.js'
import { perform } from '../client/perform.js'
import { configFor } from '../config/hosts.js'
import type { Operation } from '../gate/verdict.js'
import type { Command, World } from './command.js'
import type { ExitCode } from './exit.js'
import { type KnockArguments, knockArguments } from './knock-arguments.js'
import { autoErrand, letmeinErrand, spaErrand } from './knock-errands.js'
import type { FwknopAsk } from './knock-fwknop.js'
import { KNOCK_OPTIONS, REVOKE_OPTIONS } from './knock-options.js'
import { type Plan, planKnock, type Source } from './knock-plan.js'
import { protocolFor } from './knock-protocol.js'
import { tellKnock, unnamedWarnings } from './knock-report.js'
import { readSource } from './knock-source.js'
import { alarmsOf, tellLetmein } from './letmein-report.js'
import { type Arguments, isGiven } from './options.js'
import { type Told, tell } from './told.js'

export const knock: Command = {
  name: 'knock',
  positionals: 'HOST PORT…',
  describe: 'ask a host to open a port for this machine',
  options: KNOCK_OPTIONS,
  examples: [
    ['postern knock gate.example.org 22', 'as ~/.config/postern/postern.conf says'],
    ['postern knock -q --wait gate.example.org 22 && ssh gate.example.org', 'return when the port is open'],
    ['postern knock --lifetime 1h --address 203.0.113.9 192.0.2.1 443', 'for another machine, for an hour'],
    ['postern knock --address auto gate.example.org 22', 'for this address, whoever sends the knock on'],
    ['postern knock --protocol letmein -r 22 gate.example.org', "by letmein's exchange, which is answered"],
    ['postern knock --protocol fwknop --wait gate tcp/22', 'at a fwknopd, with the keys of [gate] in ~/.fwknoprc'],
    ['postern knock -k laptop.key -u 1 -r 22 --realm gate gate.example.org', 'without a configuration file'],
  ],
  run: (args, world) => run(args, world, isGiven(args, 'extend') ? 'extend' : 'open'),
}

export const revoke: Command = {
  name: 'revoke',
  positionals: 'HOST PORT…',
  describe: 'ask a host to shut again what it opened for this machine',
  options: REVOKE_OPTIONS,
  examples: [['postern revoke gate.example.org 22', 'at once, not when the time is over']],
  run: (args, world) => run(args, world, 'revoke'),
}

async function run(args: Arguments, world: World, operation: Operation): Promise<ExitCode> {
  const source = await readSource(args, world.env)
  const asked = knockArguments(
    args,
    source.host !== undefined || isGiven(args, 'stanza'),
    operation === 'revoke' ? 'revoke' : 'knock',
  )
  const ready = await readyKnock({ args, asked, operation, source, world })
  return tell(await ready.go(world.outside), args, world.printer)
}

/** A knock by whatever protocol that has only to be done. */
export interface ReadyKnock {
  /** Where it goes. */
  readonly host: string
  /** The first port that is asked for; undefined: a resource that is no port. */
  readonly port: number | undefined
  readonly go: (outside: World['outside']) => Promise<Told>
}

/** Finds protocol, host, keys and ports. Throws UsageError and ConfigError. */
export async function readyKnock(wanted: Omit<FwknopAsk, 'place'>): Promise<ReadyKnock> {
  const { asked, operation, source } = wanted
  const name = asked.host ?? source.host
  const { config, address } = configFor(source.config, name ?? '')
  if (protocolFor(asked, config) === 'fwknop') {
    // Loaded only here: AES, MD5 and .fwknoprc are nothing to whoever knocks by another protocol.
    const { readyFwknop } = await import('./knock-fwknop.js')
    return readyFwknop({ ...wanted, place: name === undefined ? undefined : { name, address } })
  }
  const plan = planKnock(asked, source)
  const go = (outside: World['outside']) => carryOut({ plan, asked, operation, source, outside })
  return { host: plan.host, port: plan.subjects[0]!.port, go }
}

/** A knock that is decided upon. */
export interface Ask {
  readonly plan: Plan
  readonly asked: KnockArguments
  readonly operation: Operation
  readonly source: Source
  readonly outside: World['outside']
}

/** Knocks by the plan's protocol. Throws as the protocol's own function does. */
export async function carryOut(ask: Ask): Promise<Told> {
  const way = { spa: bySpa, letmein: byLetmein, auto: byAuto }[ask.plan.protocol]
  return way(ask)
}

async function bySpa({ plan, asked, operation, source, outside }: Ask): Promise<Told> {
  const outcome = await perform(spaErrand(plan, asked, operation), outside)
  const report = common(plan, asked, operation, source)
  const warnings = [...report.warnings, ...unnamedWarnings(outcome.unnamed)]
  return tellKnock({ ...report, warnings, host: plan.host, outcome })
}

async function byLetmein({ plan, asked, operation, source, outside }: Ask): Promise<Told> {
  const errand = letmeinErrand(plan, asked, operation)
  const ports = plan.subjects.flatMap(({ port }) => port ?? [])
  const wait =
    asked.waitMs === undefined ? undefined : { ports, timeoutMs: asked.waitMs, isTriedAtOnce: asked.connects ?? false }
  const outcome = await knockAndWait(errand, wait, outside)
  return tellLetmein({ ...common(plan, asked, operation, source), ...outcome, protocol: 'letmein', errand })
}

async function byAuto({ plan, asked, operation, source, outside }: Ask): Promise<Told> {
  const errand = autoErrand(plan, asked, operation)
  const outcome = await performAuto(errand, outside)
  const { answers, opened } = outcome
  const alarms = alarmsOf(outcome, errand, outside.nowMs())
  const report = { ...common(plan, asked, operation, source), answers, opened, alarms }
  const told = tellLetmein({ ...report, protocol: 'auto', errand: errand.letmein })
  return { ...told, neededExchange: outcome.openedByExchange.size > 0 }
}

function common({ identity, subjects }: Plan, { waitMs }: KnockArguments, operation: Operation, source: Source) {
  return {
    operation,
    user: identity.user,
    subjects,
    warnings: source.warnings,
    ...(waitMs !== undefined && { waitMs }),
  }
}
