/** What a start that cannot work says, and which exit code it ends with (docs/EXIT-CODES.md). */
import { EXIT, type ExitCode } from '../cli/exit.js'
import { ConfigError } from '../config/error.js'
import { FirewallError } from '../firewall/types.js'
import { ReplayError } from '../replay/error.js'
import { StateError } from './monitor-file.js'
import { TrialError } from './trial.js'

/** Words and exit code for anything thrown. A programming error shows its stack, so that it can be reported. */
export function explainFailure(error: unknown): { readonly status: ExitCode; readonly message: string } {
  if (error instanceof ConfigError)
    return { status: error.code === 'permission' ? EXIT.permission : EXIT.configuration, message: error.message }
  if (error instanceof FirewallError) {
    if (error.code === 'permission' && error.message.includes('CAP_NET_ADMIN'))
      return {
        status: EXIT.permission,
        message: `${error.message}: run as root, or under systemd with AmbientCapabilities=CAP_NET_ADMIN`,
      }
    return { status: error.code === 'permission' ? EXIT.permission : EXIT.unavailable, message: error.message }
  }
  if (error instanceof TrialError) return { status: EXIT.configuration, message: error.message }
  if (error instanceof ReplayError || error instanceof StateError)
    return { status: EXIT.unavailable, message: error.message }
  return { status: EXIT.failed, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}
