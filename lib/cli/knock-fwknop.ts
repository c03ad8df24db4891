/** `postern knock` by fwknop's packet: from the checked arguments and ~/.fwknoprc to one errand, and its report. */
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { KnockError } from '../client/error.js'
import { type FwknopErrand, performFwknop } from '../client/fwknop-perform.js'
import type { Outcome } from '../client/perform.js'
import { ConfigError } from '../config/error.js'
import { filesFor, thisProcess } from '../config/files.js'
import { readOwnFile, warningsOfReaders } from '../config/read-file.js'
import type { Operation } from '../gate/verdict.js'
import type { World } from './command.js'
import { fwknopArguments } from './fwknop-arguments.js'
import { type FwknopPlan, type FwknopSource, planFwknop } from './fwknop-plan.js'
import { tellFwknop } from './fwknop-report.js'
import { defaultUsername } from './fwknop-user.js'
import type { ReadyKnock } from './knock.js'
import type { KnockArguments } from './knock-arguments.js'
import type { Source } from './knock-plan.js'
import type { Arguments } from './options.js'

export interface FwknopAsk {
  readonly args: Arguments
  readonly asked: KnockArguments
  readonly operation: Operation
  readonly source: Source
  /** HOST or POSTERN_HOST, and what [HOST NAME] of the client's file makes of it. */
  readonly place: FwknopSource['place']
  readonly world: World
}

/** Finds stanza, host, keys and ports. Throws UsageError and ConfigError. */
export function plannedFwknop({ args, asked, operation, source, place, world }: FwknopAsk): FwknopPlan {
  const own = fwknopArguments(args, asked, operation)
  return planFwknop(asked, own, { ...readRc(own.rcFile, source, world), place })
}

/** The same, ready to be done. Throws UsageError and ConfigError; what it gives to do throws KnockError. */
export function readyFwknop(ask: FwknopAsk): ReadyKnock {
  const { asked, source } = ask
  const { errand, keysFrom, warnings } = plannedFwknop(ask)
  const { identity, wish, host } = errand
  const report = {
    host,
    username: identity.username,
    ports: wish.ports,
    keysFrom,
    warnings: [...source.warnings, ...warnings],
    ...(asked.waitMs !== undefined && { waitMs: asked.waitMs }),
  }
  const go = async (outside: World['outside']) => tellFwknop({ ...report, outcome: await knockAt(errand, outside) })
  return { host, port: wish.ports[0]!.port, go }
}

/** Knocks. Throws as performFwknop does. */
export async function knockAt(errand: FwknopErrand, outside: World['outside']): Promise<Outcome> {
  try {
    return await performFwknop(errand, outside)
  } catch (error) {
    if (!(error instanceof KnockError) || error.code !== 'resolve' || errand.families.includes(6)) throw error
    throw new KnockError('resolve', `${error.message}. fwknopd has no IPv6; at a posternd knock with -6`)
  }
}

/** The file of --fwknoprc, or of [FWKNOP] rc-file, which has to be there; else ~/.fwknoprc. Throws ConfigError. */
function readRc(named: string | undefined, { config }: Source, { env }: World): Omit<FwknopSource, 'place'> {
  const reader = thisProcess('client')
  const home = env['HOME'] ?? homedir()
  const said = named ?? config.fwknop.rcFile?.replace(/^~(?=\/)/, () => home)
  const file = said ?? join(home, '.fwknoprc')
  const { stanza } = config.fwknop
  const common = {
    file,
    files: filesFor(reader),
    username: defaultUsername(env, login),
    ...(stanza !== undefined && { stanza }),
  }
  try {
    const { text, facts } = readOwnFile(file, reader)
    warningsOfReaders(file, facts, reader)
    return { ...common, text }
  } catch (error) {
    if (said === undefined && error instanceof ConfigError && error.code === 'missing') return common
    throw error
  }
}

function login(): string | undefined {
  try {
    return userInfo().username
  } catch {
    // No such user in this system's files, as in containers.
    return undefined
  }
}
