/** How long a client's whole process takes beside the least that Node can, and beside the peers' clients; in turns. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBed } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { type Peer, startPeers } from './peer.js'
import { median, type Row } from './row.js'
import type { Turns } from './spawn-timer.js'

const TURNS = 40
const PROGRAM = fileURLToPath(new URL('spawn-timer.ts', import.meta.url))

export async function client(): Promise<Row[]> {
  const bed = await openBed({ crowd: new Crowd(1), resources: resourceLines(1, 3001, 'timeout: 60') })
  const { peers, missing } = await startPeers(1)
  try {
    const { postern, server } = bed
    const knock = [join(postern.folder, 'bin/postern'), 'knock', server.v4, '3001', '--config', postern.clientConfig]
    const [knocks, bare, nothing] = await time(bed, [knock, [process.execPath, '-e', '0'], ['true']])
    const against = { what: 'node -e 0', median: median(bare!) }
    const rows: Row[] = [
      { what: 'postern knock ADDRESS PORT', unit: 'ms', samples: knocks!, against, goal: '<= 1.5 x node -e 0' },
      { what: 'node -e 0', unit: 'ms', samples: bare!, goal: '' },
      { what: 'true (in each of these: what starting any program takes)', unit: 'ms', samples: nothing!, goal: '' },
    ]
    for (const peer of peers) {
      const [samples] = await time(peer.lab, [peer.knock(0)])
      rows.push({ what: `${peer.name}, a knock on its command line`, unit: 'ms', samples: samples!, against, goal: '' })
    }
    return [...rows, ...missing]
  } finally {
    await Promise.all([bed.close(), ...peers.map((peer) => peer.lab.close())])
  }
}

async function time({ client, folder }: Peer['lab'], programs: Turns['programs']): Promise<number[][]> {
  const file = join(folder, 'programs.json')
  writeFileSync(file, JSON.stringify({ turns: TURNS, programs }))
  return JSON.parse(await client.must([process.execPath, '--import', 'tsx', PROGRAM, file], { timeoutMs: 120_000 }))
}
