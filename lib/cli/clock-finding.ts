/** Whether this machine's clock is kept right, as far as somebody here knows. */
import { spawnSync } from 'node:child_process'
import type { Finding } from './finding.js'

/** What `timedatectl` says; undefined: there is none, or it says nothing. */
export type Synchronised = () => boolean | undefined

export const synchronised: Synchronised = () => {
  const { status, stdout } = spawnSync('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
    encoding: 'utf8',
    timeout: 3_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status !== 0) return undefined
  return { yes: true, no: false }[stdout.trim()]
}

/** Nothing where it is kept, or nobody knows. */
export function ofClock(isKept: Synchronised = synchronised): Finding[] {
  if (isKept() !== false) return []
  return [
    {
      code: 'clock',
      sentence: `this machine’s clock is not kept right by anybody (it says ${new Date().toISOString()}): a knock that is a minute off is refused`,
      mend: 'timedatectl set-ntp true',
    },
  ]
}
