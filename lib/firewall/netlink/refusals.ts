/** What the kernel's error numbers mean for a firewall, in one sentence each. Pure. */
import { getSystemErrorName } from 'node:util'
import { FirewallError, type FirewallErrorCode } from '../types.js'
import { ERRNO } from './numbers.js'

const MEANING: Readonly<Record<number, readonly [FirewallErrorCode, string]>> = {
  [ERRNO.EPERM]: ['permission', 'not permitted: expected CAP_NET_ADMIN, and a table that no other program owns'],
  [ERRNO.EACCES]: ['permission', 'not permitted: expected CAP_NET_ADMIN'],
  [ERRNO.EAGAIN]: ['busy', 'the ruleset kept changing meanwhile'],
  [ERRNO.ERESTART]: ['busy', 'the ruleset changed meanwhile'],
  [ERRNO.EBUSY]: ['busy', 'in use'],
  [ERRNO.ENFILE]: ['full', 'full: expected room for another element (the set’s size)'],
  [ERRNO.EOPNOTSUPP]: ['missing', 'not supported by this kernel: expected nf_tables (CONFIG_NF_TABLES)'],
}

/** The error for a refusal; `what` names what was tried. ENOENT is the caller's to tell apart. */
export function refusalError(errno: number, what: string): FirewallError {
  const [code, text] = MEANING[errno] ?? ['kernel', 'refused by the kernel']
  return new FirewallError(code, `${what}: ${text} (${nameOf(errno)})`)
}

function nameOf(errno: number): string {
  try {
    const name = getSystemErrorName(-errno)
    return name.startsWith('E') ? name : `errno ${errno}`
  } catch {
    return `errno ${errno}`
  }
}
