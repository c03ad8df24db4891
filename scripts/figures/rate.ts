/** How many valid knocks a second become leases, journal and all: each for another address, of many users. */
import { openBed } from './bed.js'
import { addressNumber, Crowd, resourceInTurn, resourceLines } from './crowd.js'
import { spent, TICK_US } from './processes.js'
import type { Row } from './row.js'
import { timeFlow } from './timed.js'

const USERS = 2000
const RESOURCES = 64
const SECONDS = 4
const RATES = [2_000, 5_000, 8_000, 12_000]
const WANTED = 5_000

export async function rate(): Promise<Row[]> {
  const crowd = new Crowd(USERS)
  const bed = await openBed({
    crowd,
    resources: resourceLines(RESOURCES, 3001, 'timeout: 60'),
    limits: 'leases-per-user = 1000',
  })
  try {
    let addresses = 0
    const rows: Row[] = []
    for (const perSecond of RATES) {
      const knocks = Array.from({ length: perSecond * SECONDS }, () => {
        const n = addresses++
        return crowd.knock({ resource: resourceInTurn(n, RESOURCES), address: addressNumber(n) })
      })
      const { result: flow, used } = await spent(bed.pids, () => timeFlow(bed, knocks, perSecond))
      const each = (ticks: number) => `${Math.round((ticks * TICK_US) / flow.leases)} µs`
      const sentPerSecond = Math.round(flow.sent / (flow.sentMs / 1000))
      const late = Math.round(flow.leasedMs - flow.sentMs)
      const cpu = `CPU for each: listener ${each(used.listener)}, monitor ${each(used.monitor)}`
      const lost = flow.overruns > 0 ? `; ${flow.overruns} events lost, so more than this` : ''
      rows.push({
        what: `leases given in a second, ${sentPerSecond.toLocaleString('en')} knocks/s sent`,
        samples: flow.perSecond,
        found: `${flow.leases} of ${flow.sent} knocks, the last ${late} ms after the last was sent; ${cpu}${lost}`,
        goal: perSecond < WANTED ? 'all' : '>= 5,000',
      })
    }
    return rows
  } finally {
    await bed.close()
  }
}
