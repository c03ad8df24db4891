/** How long a client's whole process takes beside the least that Node can, and beside the peers' clients; in turns. */
import { join } from 'node:path'
import { openBed } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { oneFileClient } from './one-file.js'
import { startPeers } from './peer.js'
import { median, type Row } from './row.js'
import { timeTurns } from './turns.js'

const TURNS = 40

export async function client(): Promise<Row[]> {
  const bed = await openBed({ crowd: new Crowd(1), resources: resourceLines(1, 3001, 'timeout: 60') })
  const { peers, missing } = await startPeers(1)
  try {
    const { postern, server } = bed
    const words = ['knock', server.v4, '3001', '--config', postern.clientConfig]
    const oneFile = oneFileClient()
    const [knocks, bare, nothing, one] = await timeTurns(bed, {
      turns: TURNS,
      programs: [
        [join(postern.folder, 'bin/postern'), ...words],
        [process.execPath, '-e', '0'],
        ['true'],
        ...(oneFile === undefined ? [] : [[oneFile, ...words]]),
      ],
    })
    const against = { what: 'node -e 0', median: median(bare!) }
    const rows: Row[] = [
      { what: 'postern knock ADDRESS PORT', unit: 'ms', samples: knocks!, against, goal: '<= 1.5 x node -e 0' },
      {
        what: 'postern knock ADDRESS PORT, the client in one file',
        goal: '<= 0.6 x node -e 0',
        ...(one === undefined ? { found: 'not made: scripts/client-binary' } : { unit: 'ms', samples: one, against }),
      },
      { what: 'node -e 0', unit: 'ms', samples: bare!, goal: '' },
      { what: 'true (in each of these: what starting any program takes)', unit: 'ms', samples: nothing!, goal: '' },
    ]
    for (const peer of peers) {
      const [samples] = await timeTurns(peer.lab, { turns: TURNS, programs: [peer.knock(0)] })
      rows.push({ what: `${peer.name}, a knock on its command line`, unit: 'ms', samples: samples!, against, goal: '' })
    }
    return [...rows, ...missing]
  } finally {
    await Promise.all([bed.close(), ...peers.map((peer) => peer.lab.close())])
  }
}
