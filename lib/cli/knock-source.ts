/** What is known beside a knock's command line: the environment, the client's file, a key file. */
import { readEnvironment } from '../config/environment.js'
import { clientFiles, loadClientConfig, thisProcess } from '../config/files.js'
import { loadKeyFile } from '../config/key-file.js'
import type { ClientConfig } from '../config/types.js'
import type { World } from './command.js'
import { FWKNOP_OPTIONS } from './knock-arguments.js'
import type { Source } from './knock-plan.js'
import { type Arguments, isGiven, textOf } from './options.js'
import { UsageError } from './usage.js'

type PathOption = 'config' | 'key-file' | 'env-file' | 'fwknoprc'

/** Reads it all; the command line comes before the environment. Throws ConfigError and UsageError. */
export async function readSource(args: Arguments, env: World['env']): Promise<Source> {
  const reader = thisProcess('client')
  const { host, user, ...paths } = await readEnvironment(env, reader, pathOf(args, 'env-file'))
  const config = loadClientConfig(pathOf(args, 'config') ?? paths.config, reader, env)
  // A key file of the environment is not for fwknop; one of the command line is refused by lib/cli/fwknop-arguments.ts.
  const keyFile = isFwknopMeant(args, config) ? undefined : (pathOf(args, 'key-file') ?? paths.keyFile)
  const key = keyFile === undefined ? undefined : loadKeyFile(keyFile, reader)
  return {
    config,
    file: config.file ?? clientFiles(env)[0] ?? 'postern.conf',
    warnings: config.warnings,
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
    ...(key !== undefined && { key: { bytes: key.key, ...(key.user !== undefined && { user: key.user }) } }),
  }
}

function isFwknopMeant(args: Arguments, config: ClientConfig): boolean {
  const byOption = FWKNOP_OPTIONS.some((name) => isGiven(args, name)) ? 'fwknop' : config.protocol
  return (textOf(args, 'protocol') ?? byOption) === 'fwknop'
}

const LOOKS_LIKE_KEY = /^[^/]*[0-9a-fA-F]{32}[^/]*$|^[A-Za-z0-9+/]{22,}={1,2}$/

/** A file's path. A key in its place is refused without being shown. */
export function pathOf(args: Arguments, option: PathOption): string | undefined {
  const text = textOf(args, option)
  if (text === '') throw new UsageError(`--${option} "": expected a file`)
  if (text !== undefined && option === 'key-file' && LOOKS_LIKE_KEY.test(text)) {
    throw new UsageError(
      '--key-file: expected a file: a key on the command line can be seen by everybody on this machine',
    )
  }
  return text
}
