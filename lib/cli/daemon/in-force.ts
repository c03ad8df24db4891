/** Whether a daemon that runs goes by what its configuration says now: an edit is in force from the reload on, and not before. */
import { realpathSync } from 'node:fs'
import type { ServerConfig } from '../../config/types.js'
import type { DaemonStatus } from '../../daemon/status-answer.js'
import type { Finding } from '../finding.js'

/** Why what `read` says is not in force; undefined: it is. */
export function notInForce(
  { file, contents }: Pick<DaemonStatus, 'file' | 'contents'>,
  read: Pick<ServerConfig, 'file' | 'contents'>,
): Finding | undefined {
  if (!areSame(file, read.file))
    return {
      code: 'another-file',
      sentence: `the daemon that runs goes by another file, ${file}: what ${read.file} says is not in force`,
      mend: `posternd check --config ${file}   # or start the daemon with --config ${read.file}`,
    }
  // A daemon of an older version does not say it.
  if (contents === undefined || contents === read.contents) return undefined
  return {
    code: 'not-reloaded',
    sentence: `${read.file} was changed after the daemon read it: what it says now is not in force`,
    mend: 'posternd check && systemctl reload postern',
  }
}

/** Whether two paths lead to one file. */
export function areSame(one: string, other: string): boolean {
  return realPath(one) === realPath(other)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
