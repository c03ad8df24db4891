/** ssh through `postern connect` beside plain ssh to a port that is open: logins near and far, and bytes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '../../spec/support/namespace.js'
import { startSshd } from '../demo-sshd.js'
import { type Bed, openBed, tokensAreIn } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { openFar } from './far.js'
import { median, type Row } from './row.js'
import { timeTurns } from './turns.js'

const LOGINS = 20
const FIRST_PORT = 3001
const STARTS = 40
const ROUND_TRIP_MS = 50
const BULK_MIB = 1024
const LINK_MIB = 256
const BULKS = 3
/** Of 1 Gbit/s, which a link of the laboratory has not by itself. */
const SHAPED = 'rate 1gbit burst 256kb latency 20ms'
/** Each login finds a port that was never opened; one sshd answers them all. */
const REDIRECTED = (last: number) =>
  `table inet bench-ssh {
  chain in {
    type nat hook prerouting priority dstnat
    tcp dport ${FIRST_PORT}-${last} redirect to :22
  }
}
`

/** A way to get in; `port` gives a shut one, or the open one where nothing is knocked at. */
interface Way {
  readonly what: string
  readonly options: readonly string[]
  readonly port: () => number
}

export async function ssh(): Promise<Row[]> {
  // The first resource was opened when the bed was made. Three ways, near and far.
  const count = 6 * (LOGINS + 1) + 1
  const lines = resourceLines(count, FIRST_PORT, 'timeout: 60')
  const isInstant = (index: number) => index > 4 * (LOGINS + 1)
  const resources = lines.map((line, index) => (isInstant(index) ? `${line} / instant: yes` : line))
  const bed = await openBed({ crowd: new Crowd(1), resources, limits: 'leases-per-user = 0' })
  try {
    await startSshd(bed)
    await bed.server.must(['nft', '-f', '-'], { input: REDIRECTED(FIRST_PORT + count - 1) })
    await tokensAreIn()
    const ways = waysOf(bed)
    const near = await logins(bed, bed.server.v4, ways)
    const far = await openFar(bed, ROUND_TRIP_MS)
    const away = await logins(bed, far.v4, ways)
    await far.close()
    return [
      ...loginRows(ways, near, '0 ms'),
      ...loginRows(ways, away, `${ROUND_TRIP_MS} ms`),
      ...(await startRows(bed)),
      ...(await bulkRows(bed, ways, BULK_MIB, 'no limit but two processors')),
      ...(await shaped(bed, () => bulkRows(bed, ways, LINK_MIB, '1 Gbit/s'))),
    ]
  } finally {
    await bed.close()
  }
}

function waysOf({ postern }: Bed): readonly [Way, ...Way[]] {
  const connect = `${postern.folder}/bin/postern connect --config ${postern.clientConfig}`
  const pipe = ['-o', `ProxyCommand=${connect} %h %p`]
  const fdpass = ['-o', `ProxyCommand=env NODE_CHANNEL_FD=1 ${connect} --fdpass %h %p`, '-o', 'ProxyUseFdpass=yes']
  let ordinary = FIRST_PORT + 1
  let instant = FIRST_PORT + 4 * (LOGINS + 1) + 1
  return [
    { what: 'plain ssh, open port', options: [], port: () => 22 },
    { what: 'through postern connect, fdpass', options: fdpass, port: () => ordinary++ },
    { what: 'through postern connect, pipe', options: pipe, port: () => ordinary++ },
    { what: 'through postern connect, fdpass, instant', options: fdpass, port: () => instant++ },
  ]
}

/** The ms of each way's logins, in turns; the first turn does not count. */
async function logins(bed: Bed, address: string, ways: readonly Way[]): Promise<number[][]> {
  const times = ways.map((): number[] => [])
  for (let turn = 0; turn <= LOGINS; turn++) {
    for (const [index, { options, port }] of ways.entries()) {
      const ms = await timed(bed.client, sshTo(bed, address, port(), options, 'true'))
      if (turn > 0) times[index]!.push(ms)
    }
  }
  return times
}

function sshTo({ folder }: Bed, address: string, port: number, options: readonly string[], command: string): string[] {
  return ['ssh', '-F', join(folder, 'ssh_config'), ...options, '-p', String(port), address, command]
}

async function timed(host: Namespace, argv: readonly string[]): Promise<number> {
  const began = performance.now()
  await host.must(argv, { timeoutMs: 120_000 })
  return performance.now() - began
}

function loginRows(ways: readonly Way[], times: readonly number[][], roundTrip: string): Row[] {
  const plain = median(times[0]!)
  return ways.map(({ what }, index) => ({
    what: `a login, ${roundTrip} round trip: ${what}`,
    unit: 'ms',
    samples: times[index]!,
    ...(index > 0 && { against: { what: 'plain ssh', median: plain } }),
    goal: index === 0 ? '' : `${Math.round(plain)} ms and the client's start, no round trip more`,
  }))
}

/** What the client's own start takes: a connection to a port that is open and hangs up at once. */
async function startRows(bed: Bed): Promise<Row[]> {
  const server = bed.server.spawn([
    process.execPath,
    '-e',
    `require('node:net').createServer((s) => s.on('error', () => {}).end()).listen(${FIRST_PORT - 1}, () => console.log('ready'))`,
  ])
  await server.waitLine(/ready/)
  const program = [join(bed.postern.folder, 'bin/postern'), 'connect', '--config', bed.postern.clientConfig]
  const argv = [...program, '-r', '1', bed.server.v4, String(FIRST_PORT - 1)]
  const [connect, bare] = await timeTurns(bed, { turns: STARTS, programs: [argv, [process.execPath, '-e', '0']] })
  const against = { what: 'node -e 0', median: median(bare!) }
  return [
    { what: 'postern connect, whole, to a port that hangs up', unit: 'ms', samples: connect!, against, goal: '' },
    { what: 'node -e 0', unit: 'ms', samples: bare!, goal: '' },
  ]
}

async function bulkRows(bed: Bed, ways: readonly Way[], mebibytes: number, link: string): Promise<Row[]> {
  const bytes = mebibytes << 20
  const measured = ways.slice(0, 3)
  const rows: Row[] = []
  for (const [direction, shell] of [
    ['down', (ssh: string) => `${ssh} 'head -c ${bytes} /dev/zero' >/dev/null`],
    ['up', (ssh: string) => `head -c ${bytes} /dev/zero | ${ssh} 'cat >/dev/null'`],
  ] as const) {
    const rates = measured.map((): number[] => [])
    for (let turn = 0; turn <= BULKS; turn++)
      for (const [index, { options }] of measured.entries()) {
        // A port that is open: what is measured is what stands between.
        const argv = sshTo(bed, bed.server.v4, 22, options.map(openPort), '')
        const script = join(bed.folder, 'bulk.sh')
        writeFileSync(script, shell(`${argv.slice(0, -1).map(quoted).join(' ')} -c aes128-gcm@openssh.com`))
        // What a login takes is told above; here it is taken off.
        const login = await timed(bed.client, [...argv.slice(0, -1), 'true'])
        const ms = (await timed(bed.client, ['sh', script])) - login
        if (turn > 0) rates[index]!.push(bytes / 1e3 / ms)
      }
    const plain = median(rates[0]!)
    measured.forEach(({ what }, index) => {
      rows.push({
        what: `${mebibytes} MiB ${direction}, ${link}: ${what}`,
        unit: 'MB/s',
        samples: rates[index]!,
        ...(index > 0 && { against: { what: 'plain ssh', median: plain } }),
        goal: index === 0 ? '' : link.startsWith('1 ') ? '1.0 x' : index === 1 ? '>= 0.9 x' : '>= 0.75 x',
      })
    })
  }
  return rows
}

/** The open port 22 belongs to no resource: any will do to knock for. */
function openPort(option: string): string {
  return option.replace(' connect ', ' connect -r 1 ')
}

function quoted(word: string): string {
  return `'${word}'`
}

/** Both directions of the way between client and server held to 1 Gbit/s. */
async function shaped(bed: Bed, measure: () => Promise<Row[]>): Promise<Row[]> {
  const ends = [
    [bed.client, 'to-server'],
    [bed.server, 'to-client'],
  ] as const
  for (const [host, device] of ends)
    await host.must(['tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...SHAPED.split(' ')])
  try {
    return await measure()
  } finally {
    for (const [host, device] of ends) await host.must(['tc', 'qdisc', 'del', 'dev', device, 'root'])
  }
}
