/** From a knock that is sent to a lease in the kernel, on a link without delay, the daemon being warm. */
import { KNOCK_PORT } from '../../spec/support/installation.js'
import { openBed } from './bed.js'
import { Crowd, resourceInTurn, resourceLines } from './crowd.js'
import { rested } from './rested.js'
import { median, type Row } from './row.js'
import { timeEach, timeEcho } from './timed.js'

const WARM_UP = 200
const MEASURED = 200
const PER_SECOND = 20
const OFTEN = 200
/** At 20 a second each resource's lease has run out before its turn comes again. */
const RESOURCES = 40
const FIRST_PORT = 3001
const TRIES = 50

export async function open(): Promise<Row[]> {
  const crowd = new Crowd(20)
  const bed = await openBed({ crowd, resources: resourceLines(RESOURCES, FIRST_PORT, 'timeout: 1') })
  try {
    const knock = (n: number) => crowd.knock({ resource: resourceInTurn(n, RESOURCES) })
    const knocks = (count: number) => Array.from({ length: count }, (_, n) => knock(n))
    await timeEach(bed, knocks(WARM_UP), 100)
    const { times, lost } = await timeEach(bed, knocks(MEASURED), PER_SECOND)
    const echoed = await timeEcho(bed, MEASURED, PER_SECOND)
    const often = await timeEach(bed, knocks(MEASURED), OFTEN)
    const echo = { what: 'the bare socket', median: median(echoed.times) }

    for (let port = FIRST_PORT; port < FIRST_PORT + RESOURCES; port++) await bed.server.echo(port)
    await bed.server.echo(FIRST_PORT + RESOURCES)
    const target = { address: bed.server.v4, port: KNOCK_PORT }
    const plain: number[] = []
    const until: number[] = []
    for (let n = 0; n < TRIES; n++) {
      plain.push((await bed.client.sendAndConnect(target, [], FIRST_PORT + RESOURCES)).ms)
      const { outcome, ms } = await bed.client.sendUntilOpen(target, [knock(n)], FIRST_PORT + (n % RESOURCES))
      if (outcome === 'open') until.push(ms)
      await new Promise((resolve) => setTimeout(resolve, 1000 / PER_SECOND))
    }
    const against = { what: 'plain connect()', median: median(plain) }
    return [
      {
        what: `knock sent → the kernel tells of the lease, ${PER_SECOND}/s`,
        unit: 'ms',
        samples: times,
        against: echo,
        goal: '<= 1 ms (median)',
        ...(lost > 0 && { found: `${lost} lost` }),
      },
      { what: `the same, ${OFTEN}/s`, unit: 'ms', samples: often.times, goal: 'shows what rest costs' },
      {
        what: `datagram to a bare Node socket and back, ${PER_SECOND}/s`,
        unit: 'ms',
        samples: echoed.times,
        goal: '',
      },
      await rested(bed.folder),
      {
        what: 'knock sent → a connect() succeeds, tried all the time',
        unit: 'ms',
        samples: until,
        against,
        goal: 'the same by trying, which takes a processor of its own',
        ...(until.length < TRIES && { found: `${TRIES - until.length} never` }),
      },
      { what: 'plain connect() to a port that is open', unit: 'ms', samples: plain, goal: '' },
    ]
  } finally {
    await bed.close()
  }
}
