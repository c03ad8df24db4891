/** The user name in fwknop's packet, where nothing names one: found in the real client's order. Pure but for what is handed in. */
import type { Environment } from '../config/files.js'
import { isUsername } from '../wire/fwknop-access.js'

/** Longer ones no server takes; the real client sends them. */
const MOST_CHARS = 48
const NOBODY = 'NO_USER'

/**
 * SPOOF_USER, LOGNAME, who is logged in, USER, `NO_USER`. Cut to what servers take; one with other characters than they take is
 * passed over, where the real client gives up.
 */
export function defaultUsername(env: Environment, login: () => string | undefined): string {
  const { SPOOF_USER, LOGNAME, USER } = env
  for (const name of [() => SPOOF_USER, () => LOGNAME, login, () => USER]) {
    const cut = name()?.slice(0, MOST_CHARS)
    if (cut !== undefined && isUsername(cut)) return cut
  }
  return NOBODY
}
