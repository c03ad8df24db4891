/** What the commands of posternd have in common. */
import { join } from 'node:path'
import { CONTROL_SOCKET } from '../../daemon/control.js'
import { type Arguments, type Option, textOf } from '../options.js'
import { UsageError } from '../usage.js'

export const RUN_DIR = '/run/postern'
export const STATE_DIR = '/var/lib/postern'

export const CONFIG_OPTION: Option = {
  name: 'config',
  alias: 'c',
  value: 'FILE',
  describe: 'configuration',
  preset: '/etc/postern/posternd.conf, else letmeind.conf',
}
export const RUN_DIR_OPTION: Option = {
  name: 'run-dir',
  value: 'DIR',
  describe: 'where the daemon keeps what one boot needs',
  preset: RUN_DIR,
}
export const STATE_DIR_OPTION: Option = {
  name: 'state-dir',
  value: 'DIR',
  describe: 'where the daemon keeps what outlives a boot',
  preset: STATE_DIR,
}
export const JSON_OPTION: Option = { name: 'json', describe: 'print one JSON object' }

/** What a command without positionals does not take: `posternd down 22` would open all ports, not one. Throws UsageError. */
export function refuseWords({ positionals: [word] }: Arguments): void {
  if (word !== undefined) throw new UsageError(`"${word}": expected no argument`)
}

/** The folder that --run-dir names. */
export function runDirOf(args: Arguments): string {
  return textOf(args, 'run-dir') ?? RUN_DIR
}

/** The folder that --state-dir names. */
export function stateDirOf(args: Arguments): string {
  return textOf(args, 'state-dir') ?? STATE_DIR
}

/** The running daemon's control socket. */
export function controlPathOf(args: Arguments): string {
  return join(runDirOf(args), CONTROL_SOCKET)
}
