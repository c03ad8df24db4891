/**
 * Whose tokens the kernel has: a restart leaves them in, so those of a key that was changed, or of a user who was taken out, while
 * no daemon ran would open on. The mark lies in /run beside that of the boot, and tells one such set of tokens from another.
 */
import { createHash } from 'node:crypto'
import type { ServerConfig } from '../config/types.js'
import { hasBootMark, leaveBootMark } from './boot-mark.js'
import type { UserKeys } from './user-keys.js'

/** Below the run directory. */
export const TOKENS_MARK = 'monitor/tokens'

/** The same for the same keys, ends and rights to instant resources, and for no others. */
export function tokensId(users: readonly UserKeys[], { resources }: Pick<ServerConfig, 'resources'>): string {
  const hash = createHash('sha256')
  for (const { id, instant, tokensUntilMs } of users)
    if (instant !== undefined) hash.update(`${id} ${Buffer.from(instant).toString('hex')} ${tokensUntilMs}\n`)
  for (const { id, instant, users: named } of resources.values()) if (instant) hash.update(`${id} ${named?.join()}\n`)
  return hash.digest('hex')
}

/** Whether what is in the kernel was put in for these. False where that is not known. */
export function areSameTokens(path: string, id: string): boolean {
  return hasBootMark(path, id)
}

/**
 * From here on the kernel has none but these. Not before others are out of it: whatever ends us in between, the next start
 * finds another mark. Throws what the file system throws.
 */
export function markTokens(path: string, id: string): void {
  leaveBootMark(path, id)
}
