/**
 * A trial: the gate shuts for so long and no longer, unless it is confirmed. The kernel ends it (nftables/guard.nft); the
 * record beside the horizon is what a daemon that starts meanwhile, or after the next boot, goes by: a trial that nobody
 * confirmed leaves no gate, or whoever was locked out by it would stay so.
 */
import { join } from 'node:path'
import type { ServerConfig } from '../config/types.js'
import { readMonitorFile, removeMonitorFile, writeMonitorFile } from './monitor-file.js'

export interface Trial {
  readonly bootId: string
  /** By the clock of /proc/uptime, which processes' start times are told by; ms. */
  readonly startedUptimeMs: number
  /** Monotonic ms. */
  readonly endsMs: number
}

/** There is no gate because a trial ended. Says how to go on. */
export class TrialError extends Error {
  override readonly name = 'TrialError'
  readonly code = 'over'
}

/** Below the state directory. */
export const TRIAL_FILE = 'monitor/trial'

/** The trial that was begun and not confirmed; undefined: none, or what is there is no record, and the gate is for good. */
export function readTrial(stateDir: string): Trial | undefined {
  try {
    return parseTrial(readMonitorFile(join(stateDir, TRIAL_FILE)))
  } catch {
    return undefined
  }
}

/** Of a record's text. Never throws. */
export function parseTrial(text: string): Trial | undefined {
  const [, bootId, started, ends] = /^([0-9a-f]{32}) ([0-9]{1,15}) ([0-9]{1,15})\n$/.exec(text) ?? []
  return bootId === undefined ? undefined : { bootId, startedUptimeMs: Number(started), endsMs: Number(ends) }
}

/**
 * Writes the record, on disk for good when this returns: who is locked out may have to cut the power. A link that lies there
 * is not followed. Throws StateError.
 */
export function writeTrial(stateDir: string, { bootId, startedUptimeMs, endsMs }: Trial): void {
  const file = join(stateDir, TRIAL_FILE)
  writeMonitorFile(file, `${bootId} ${Math.floor(startedUptimeMs)} ${Math.floor(endsMs)}\n`, 0o644, true)
}

/** From here on the gate is for good, or nothing is there to be tried: a power cut does not bring the record back. */
export function forgetTrial(stateDir: string): void {
  removeMonitorFile(join(stateDir, TRIAL_FILE))
}

/** Whether its end has come, or a boot between. */
export function isOver(trial: Trial, bootId: string, monoMs: number): boolean {
  return trial.bootId !== bootId || trial.endsMs <= monoMs
}

/** How long it lasts still, ms. */
export function leftOf({ endsMs }: Trial, monoMs: number): number {
  return Math.max(0, endsMs - monoMs)
}

/** The trial to start with. Throws TrialError where it is over: then no gate goes up, not the last good one either. */
export function trialInForce(stateDir: string, bootId: string, monoMs: number): Trial | undefined {
  const trial = readTrial(stateDir)
  if (trial === undefined || !isOver(trial, bootId, monoMs)) return trial
  throw new TrialError(
    `a trial ended and was not confirmed: nothing is guarded. Again: posternd trial 5m; for good, without one: rm ${join(stateDir, TRIAL_FILE)}`,
  )
}

/** The configuration as the firewall is to carry it out while this trial runs. */
export function onTrial(config: ServerConfig, trial: Trial | undefined): ServerConfig {
  if (trial === undefined) return config
  return { ...config, firewall: { ...config.firewall, trialEndsMs: trial.endsMs } }
}
