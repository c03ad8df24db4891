/**
 * The gate of the last good configuration, shut: what goes up where this start cannot work (a file that is spoilt, or that
 * nft does not take; a full disk), so that it does not leave the ports open after a boot. In chain mode the host's own ruleset
 * shuts, and only leases that it brought back are taken out (last-gate-chain.ts).
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../config/error.js'
import type { ServerConfig } from '../config/types.js'
import type { Nft } from '../firewall/nft.js'
import { isOurs } from '../firewall/transition.js'
import { FirewallError, type Kernel } from '../firewall/types.js'
import { ReplayError, reasonOf } from '../replay/error.js'
import { emptyHost, parseHostRecord } from './last-gate-chain.js'
import { readMonitorFile, writeMonitorFile } from './monitor-file.js'

const FILE = 'gate.nft'
const INET = 1
const TABLE = /^table inet ([A-Za-z0-9_.-]{1,64}) \{$/m
/** The file is the monitor's own, and root loads it at boot: nft must not be told to read, and to say, what only root may. */
const INCLUDE = /(^|[\s;{}])include(?![A-Za-z0-9_.-])/m

/** `foreign`: somebody else's table has its name. `host`: the host's own ruleset shuts (chain mode); `hostless`: it is away. */
export type GateOutcome = 'there' | 'raised' | 'none' | 'foreign' | 'host' | 'hostless'

/**
 * A configuration without resources where a gate is kept: what a full disk or an editor that died leaves of a file reads as
 * one that guards nothing. Throws ConfigError, so that the kept gate goes up instead.
 */
export function refuseEmptied(config: Pick<ServerConfig, 'file' | 'firewall' | 'resources'>, folder: string): void {
  const kept = join(folder, FILE)
  if (config.firewall.mode !== 'guard' || config.resources.size > 0 || !existsSync(kept)) return
  const message = `[RESOURCES] has no resource, but ports were guarded before: expected one; to guard nothing from now on: rm ${kept}`
  throw new ConfigError([{ file: config.file, line: 0, message }])
}

/** Keeps the text beside the horizon, whole or not at all, over a power cut too. Throws StateError, and what the file system throws. */
export function keepGate(folder: string, text: string): void {
  const file = join(folder, FILE)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  writeMonitorFile(file, text, 0o600)
}

/**
 * Puts the kept gate up. `keep`: what is up already stays, leases too (a restart within one boot); else it is made anew, for
 * a saved ruleset may have brought it back with leases and spent tokens. Throws FirewallError where nft does not take it.
 */
export function raiseLastGate(folder: string, nft: Nft, kernel: Kernel, { keep }: { keep: boolean }): GateOutcome {
  const file = join(folder, FILE)
  if (!existsSync(file)) return 'none'
  const text = readMonitorFile(file)
  const host = parseHostRecord(text)
  if (host !== undefined) return emptyHost(kernel, host, { keep }) ? 'host' : 'hostless'
  const table = TABLE.exec(text)?.[1]
  if (table === undefined || INCLUDE.test(text)) return 'none'
  const present = kernel.shape(INET, table)
  if (present !== undefined && !isOurs(present)) return 'foreign'
  if (present !== undefined && keep) return 'there'
  nft.load(present === undefined ? text : `delete table inet ${table}\n${text}`)
  return 'raised'
}

/** Whether a start that failed like this has changed nothing in the kernel, so that the last gate takes its place. */
export function leavesNoGate(error: unknown): boolean {
  if (error instanceof FirewallError) return error.code !== 'permission'
  return error instanceof ConfigError || error instanceof ReplayError
}

/** The last gate for a start that fails anyway: what was done, in words. Never throws. */
export function gateInstead(raise: () => GateOutcome): string {
  try {
    return gateWords(raise())
  } catch (error) {
    return `the gate of the last good configuration could not be put up: ${reasonOf(error)}`
  }
}

/** What became of it, in words. */
export function gateWords(outcome: GateOutcome): string {
  switch (outcome) {
    case 'there':
      return 'the gate that is up stays as it is, shut'
    case 'raised':
      return 'the gate of the last good configuration is up, shut'
    case 'none':
      return 'NO GATE IS UP: no good configuration was seen here before'
    case 'foreign':
      return 'NO GATE IS UP: a table of its name is there that is not postern’s'
    case 'host':
      return 'the host’s own ruleset shuts (chain mode); no lease is given'
    case 'hostless':
      return 'NO GATE IS UP: the host’s own ruleset is to shut (chain mode), and its table is not there'
    default:
      return outcome satisfies never
  }
}
