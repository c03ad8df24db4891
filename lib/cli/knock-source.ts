/** What is known beside a knock's command line: the environment, the client's file, a key file. */
import { readEnvironment } from '../config/environment.js'
import { clientFiles, loadClientConfig, thisProcess } from '../config/files.js'
import { loadKeyFile } from '../config/key-file.js'
import type { World } from './command.js'
import type { Source } from './knock-plan.js'
import { type Arguments, textOf } from './options.js'
import { UsageError } from './usage.js'

/** Reads it all; the command line comes before the environment. Throws ConfigError and UsageError. */
export async function readSource(args: Arguments, env: World['env']): Promise<Source> {
  const reader = thisProcess('client')
  const { host, user, ...paths } = await readEnvironment(env, reader, pathOf(args, 'env-file'))
  const keyFile = pathOf(args, 'key-file') ?? paths.keyFile
  const key = keyFile === undefined ? undefined : loadKeyFile(keyFile, reader)
  const config = loadClientConfig(pathOf(args, 'config') ?? paths.config, reader, env)
  return {
    config,
    file: config.file ?? clientFiles(env)[0]!,
    warnings: config.warnings,
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
    ...(key !== undefined && { key: { bytes: key.key, ...(key.user !== undefined && { user: key.user }) } }),
  }
}

const LOOKS_LIKE_KEY = /[0-9a-fA-F]{32}/

/** A file's path. A key in its place is refused without being shown. */
function pathOf(args: Arguments, option: 'config' | 'key-file' | 'env-file'): string | undefined {
  const text = textOf(args, option)
  if (text === '') throw new UsageError(`--${option} "": expected a file`)
  if (text !== undefined && option === 'key-file' && LOOKS_LIKE_KEY.test(text) && !text.includes('/')) {
    throw new UsageError(
      '--key-file: expected a file: a key on the command line can be seen by everybody on this machine',
    )
  }
  return text
}
