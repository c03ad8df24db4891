/** What the daemon takes while nobody knocks. */
import { pause } from '../../spec/support/poll.js'
import { openBed } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { each, inWords, residentOf, spent, total } from './processes.js'
import type { Row } from './row.js'

const SETTLE_MS = 3_000
const SECONDS = 20
const USERS = 10

export async function rest(): Promise<Row[]> {
  const bed = await openBed({ crowd: new Crowd(USERS), resources: resourceLines(3, 3001, 'timeout: 60') })
  try {
    await pause(SETTLE_MS)
    const { used } = await spent(bed.pids, () => pause(SECONDS * 1000))
    const resident = each(bed.pids, residentOf)
    return [
      {
        what: `resident memory, ${USERS} users`,
        found: `${Math.round(total(resident))} MiB: ${inWords(resident)}`,
        goal: '<= 130 MiB together',
      },
      { what: `CPU in ${SECONDS} s of rest, ticks of 10 ms`, found: inWords(used), goal: 'not measurable' },
    ]
  } finally {
    await bed.close()
  }
}
