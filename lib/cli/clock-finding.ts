/** Whether this machine's clock is kept right, as far as somebody here knows. */
import { spawnSync } from 'node:child_process'
import type { Report } from './finding.js'

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

const MEND = 'timedatectl set-ntp true'

/**
 * The report with a word on the clock, where nobody keeps it right: it may be right all the same, so it is a cause only where something
 * does not work, and else a note. `most`: how far it may be off, in words.
 */
export function withClock({ findings, notes }: Report, most = 'a minute', isKept = synchronised): Report {
  if (isKept() !== false) return { findings, notes }
  const sentence = `nobody keeps this machine’s clock right, as timedatectl says (here it is ${new Date().toISOString()}): a knock that is more than ${most} off is refused`
  if (findings.length === 0) return { findings, notes: [...notes, `${sentence}: ${MEND}`] }
  return { findings: [...findings, { code: 'clock', sentence, mend: MEND }], notes }
}
