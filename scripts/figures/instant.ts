/** A SYN right behind an instant knock: the kernel opens by itself, so the first one passes. */
import { KNOCK_PORT } from '../../spec/support/installation.js'
import { pause } from '../../spec/support/poll.js'
import { openBed, tokensAreIn } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { median, type Row } from './row.js'

const TRIES = 60
const FIRST_PORT = 3001
const OPEN_PORT = 2999
const SYN = 0x02

export async function instant(): Promise<Row[]> {
  const crowd = new Crowd(4)
  const bed = await openBed({ crowd, resources: resourceLines(TRIES, FIRST_PORT, 'timeout: 60 / instant: yes') })
  try {
    for (const port of [OPEN_PORT, ...Array.from({ length: TRIES }, (_, n) => FIRST_PORT + n)])
      await bed.server.echo(port)
    await tokensAreIn()
    const target = { address: bed.server.v4, port: KNOCK_PORT }
    const capture = await bed.server.capture()
    const plain: number[] = []
    const behind: number[] = []
    for (let n = 0; n < TRIES; n++) {
      plain.push((await bed.client.sendAndConnect(target, [], OPEN_PORT)).ms)
      // Resource 1 was opened when the bed was made.
      const knock = crowd.knock({ resource: n + 1, instant: 'alone' })
      if (n > 0) {
        const { outcome, ms } = await bed.client.sendAndConnect(target, [knock], FIRST_PORT + n)
        if (outcome === 'open') behind.push(ms)
      }
      await pause(50)
    }
    const syns = new Map<number, number>()
    for (const { outgoing, tcpFlags, destinationPort } of await capture.packets())
      if (!outgoing && tcpFlags === SYN && destinationPort !== undefined && destinationPort > FIRST_PORT)
        syns.set(destinationPort, (syns.get(destinationPort) ?? 0) + 1)
    const again = [...syns.values()].filter((count) => count > 1).length
    return [
      {
        what: 'connect() right behind an instant knock',
        unit: 'ms',
        samples: behind,
        against: { what: 'plain connect()', median: median(plain) },
        found: `${behind.length} of ${TRIES - 1} open, ${again} of ${syns.size} with a SYN sent again`,
        goal: 'no SYN is sent again',
      },
      { what: 'plain connect() to a port that is open', unit: 'ms', samples: plain, goal: '' },
    ]
  } finally {
    await bed.close()
  }
}
