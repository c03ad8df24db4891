/** What a user waits for: from the start of the client to a connection, here and with the peers, in the same run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../../spec/support/lab.js'
import { openBed, tokensAreIn } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { startPeers } from './peer.js'
import { median, type Row } from './row.js'
import type { Journey } from './then-connect.js'

const TRIES = 20
const FIRST_PORT = 3001
const PROGRAM = fileURLToPath(new URL('then-connect.ts', import.meta.url))

/** One way of getting in; its n-th try is at a port that was never opened. */
interface Way {
  readonly what: string
  readonly lab: Lab
  readonly goal: string
  journey(n: number): Journey
}

export async function peers(): Promise<Row[]> {
  // The first resource was opened when the bed was made.
  const ordinary = resourceLines(2 * TRIES + 1, FIRST_PORT, 'timeout: 60')
  const lines = ordinary.map((line, index) => (index > TRIES ? `${line} / instant: yes` : line))
  const bed = await openBed({ crowd: new Crowd(1), resources: lines })
  const { peers, missing } = await startPeers(TRIES)
  try {
    for (let index = 1; index < lines.length; index++) await bed.server.echo(FIRST_PORT + index)
    await tokensAreIn()
    const postern = (port: number, ...more: string[]): Journey => {
      const program = [join(bed.postern.folder, 'bin/postern'), 'knock', bed.server.v4, String(port)]
      return { program: [...program, '--config', bed.postern.clientConfig, ...more], address: bed.server.v4, port }
    }
    const ways: Way[] = [
      {
        what: 'postern knock --wait && connect',
        lab: bed,
        goal: 'far below fwknop',
        journey: (n) => postern(FIRST_PORT + 1 + n, '--wait'),
      },
      {
        what: 'postern knock && connect, instant: yes',
        lab: bed,
        goal: 'far below fwknop',
        journey: (n) => postern(FIRST_PORT + 1 + TRIES + n),
      },
      ...peers.map((peer) => ({
        what: `${peer.name} && connect`,
        lab: peer.lab,
        goal: '',
        journey: (n: number) => ({ program: peer.knock(n), address: peer.lab.server.v4, port: peer.port(n) }),
      })),
    ]
    const times = ways.map((): number[] => [])
    for (let n = 0; n < TRIES; n++)
      for (const [index, way] of ways.entries()) {
        const ms = await travel(way, n)
        if (ms !== null) times[index]!.push(ms)
      }
    const first = ways.findIndex(({ what }) => what.startsWith('fwknop'))
    const against = first < 0 || times[first]!.length === 0 ? undefined : median(times[first]!)
    const rows = ways.map(({ what, goal }, index): Row => {
      const samples = times[index]!
      const failed = TRIES - samples.length
      return {
        what,
        unit: 'ms',
        samples,
        goal,
        ...(goal !== '' && against !== undefined && { against: { what: 'fwknop', median: against } }),
        ...(failed > 0 && { found: `${failed} of ${TRIES} never got in` }),
      }
    })
    return [...rows, ...missing]
  } finally {
    await Promise.all([bed.close(), ...peers.map((peer) => peer.lab.close())])
  }
}

async function travel({ lab, journey }: Way, n: number): Promise<number | null> {
  const file = join(lab.folder, 'journeys.json')
  writeFileSync(file, JSON.stringify([journey(n)]))
  const argv = [process.execPath, '--import', 'tsx', PROGRAM, file]
  const [ms] = JSON.parse(await lab.client.must(argv)) as (number | null)[]
  return ms!
}
