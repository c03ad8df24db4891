/** What a command of the postern program is. */
import type { ClientOutside } from '../client/client-system.js'
import type { ExitCode } from './exit.js'
import type { Arguments, Option } from './options.js'
import type { Printer } from './print.js'

/** What a command meets: the environment's variables, where to print, and the network. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly printer: Printer
  readonly outside: ClientOutside
}

export interface Command {
  readonly name: string
  /** As the help shows them: `HOST PORT…`. */
  readonly positionals: string
  /** One line. */
  readonly describe: string
  readonly options: readonly Option[]
  /** Command line and what it does. */
  readonly examples: readonly (readonly [string, string])[]
  /** Does it. Throws UsageError, ConfigError, KnockError, which failure.ts turns into words and exit codes. */
  readonly run: (args: Arguments, world: World) => Promise<ExitCode>
}
