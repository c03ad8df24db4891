/** Whether anything grows while strangers rage and users knock steadily: memory, sets of the kernel, journal, log. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { KNOCK_PORT } from '../../spec/support/installation.js'
import { pause } from '../../spec/support/poll.js'
import { type Bed, openBed } from './bed.js'
import { addressNumber, Crowd, resourceInTurn, resourceLines } from './crowd.js'
import type { BenchOptions } from './figures.js'
import { flood } from './flood.js'
import { each, residentOf, total } from './processes.js'
import type { Row } from './row.js'

const KNOCKS_PER_SECOND = 100
const STRANGERS_PER_SECOND = 50_000
/** Of how many knocks one burst is. */
const BURST = 10
const RESOURCES = 8
const LOOKS = 6

export async function growth({ floodSeconds }: BenchOptions): Promise<Row[]> {
  const crowd = new Crowd(50)
  const bed = await openBed({ crowd, resources: resourceLines(RESOURCES, 3001, 'timeout: 5') })
  try {
    await pause(2_000)
    const before = await bed.accepted()
    const looks = [await look(bed)]
    const end = performance.now() + floodSeconds * 1000
    const raging = flood(bed.stranger, bed.server.v4, {
      port: KNOCK_PORT,
      perSecond: STRANGERS_PER_SECOND,
      seconds: floodSeconds,
    })
    let knocks = 0
    for (let next = 1; next <= LOOKS; next++) {
      const until = end - ((LOOKS - next) * floodSeconds * 1000) / LOOKS
      knocks += await knockUntil(until, bed, crowd, knocks)
      looks.push(await look(bed))
    }
    const { sent } = await raging
    const accepted = (await bed.accepted()) - before
    const over = (show: (seen: Look) => number) =>
      looks.map((seen) => Math.round(show(seen)).toLocaleString('en')).join(' ')
    const what = `at the start and after each ${Math.round(floodSeconds / LOOKS)} s`
    return [
      {
        what: `sent in ${floodSeconds} s`,
        found: `${sent.toLocaleString('en')} strangers' datagrams, ${knocks} knocks, ${accepted} of them accepted`,
        goal: 'all accepted',
      },
      { what: `MiB resident, ${what}`, found: over(({ resident }) => total(resident)), goal: 'nothing grows' },
      { what: '  of it the starter', found: over(({ resident }) => resident.starter), goal: '' },
      { what: '  the monitor', found: over(({ resident }) => resident.monitor), goal: '' },
      { what: '  the listener', found: over(({ resident }) => resident.listener), goal: '' },
      {
        what: `elements in the kernel's sets`,
        found: over(({ elements }) => elements),
        goal: 'tags, and the leases that live',
      },
      {
        what: `bytes of the journal`,
        found: over(({ journalBytes }) => journalBytes),
        goal: 'bounded by the window',
      },
      { what: `bytes of the log`, found: over(({ logBytes }) => logBytes), goal: 'at most 20 lines a second' },
    ]
  } finally {
    await bed.close()
  }
}

interface Look {
  readonly resident: ReturnType<typeof each>
  readonly elements: number
  readonly journalBytes: number
  readonly logBytes: number
}

async function look({ pids, server, folder, daemon }: Bed): Promise<Look> {
  const listing = JSON.parse(await server.must(['nft', '-j', 'list', 'table', 'inet', 'postern'])) as {
    nftables: { set?: { elem?: unknown[] } }[]
  }
  const journal = join(folder, 'run', 'listener')
  return {
    resident: each(pids, residentOf),
    elements: listing.nftables.reduce((sum, { set }) => sum + (set?.elem?.length ?? 0), 0),
    journalBytes: readdirSync(journal).reduce((sum, name) => sum + statSync(join(journal, name)).size, 0),
    logBytes: daemon.lines.reduce((sum, line) => sum + line.length + 1, 0),
  }
}

/** A steady number of knocks a second, each for another address; how many there were. */
async function knockUntil(end: number, { client, server }: Bed, crowd: Crowd, before: number): Promise<number> {
  let knocks = 0
  const began = performance.now()
  while (performance.now() < end) {
    const burst = Array.from({ length: BURST }, (_, index) => {
      const n = before + knocks + index
      return crowd.knock({ resource: resourceInTurn(n, RESOURCES), address: addressNumber(n) })
    })
    await client.send(server.v4, KNOCK_PORT, burst)
    knocks += BURST
    await pause(Math.max(0, began + (knocks * 1000) / KNOCKS_PER_SECOND - performance.now()))
  }
  return knocks
}
