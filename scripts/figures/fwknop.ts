/**
 * What `knock && ssh` waits for by fwknop's packet: the real client and postern's at the real fwknopd and at posternd, near and far,
 * in turns. Each try is at a port that was never opened.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accessFile, dropByDefault, FWKNOP_PORT, FwknopServer, KEYS, rcStanza } from '../../spec/support/fwknop-peer.js'
import { beginFwknop } from '../../spec/support/fwknop-story.js'
import { type Lab, openLab } from '../../spec/support/lab.js'
import { openFar } from './far.js'
import type { PacketToOpen } from './packet-to-open.js'
import { isInstalled } from './peer.js'
import { median, type Row } from './row.js'
import type { Journey } from './then-connect.js'

const POSTERN = fileURLToPath(new URL('../../bin/postern', import.meta.url))
const PROGRAM = fileURLToPath(new URL('then-connect.ts', import.meta.url))
const PACKET_TO_OPEN = fileURLToPath(new URL('packet-to-open.ts', import.meta.url))
const TRIES = 10
const FIRST_PORT = 3001
const ROUND_TRIPS_MS = [0, 50]
const CLIENTS = ['fwknop', 'postern'] as const

interface Side {
  readonly name: string
  readonly lab: Lab
}

export async function fwknop(): Promise<Row[]> {
  const without = ['fwknop', 'fwknopd', 'iptables'].find((program) => !isInstalled(program))
  if (without !== undefined) return [{ what: 'fwknop', found: `${without} is not installed: left out`, goal: '' }]
  const ports = Array.from({ length: (ROUND_TRIPS_MS.length * CLIENTS.length + 1) * TRIES }, (_, n) => FIRST_PORT + n)
  const access = accessFile(ports.map((port) => `tcp/${port}`).join(','), { timeoutSeconds: 300 })
  const sides = [await fwknopdSide(access, ports), await posterndSide(access, ports)]
  try {
    const rows = await packetToOpen(sides, ports.slice(-TRIES))
    for (const [index, roundTripMs] of ROUND_TRIPS_MS.entries())
      rows.push(...(await measure(sides, roundTripMs, ports.slice(index * CLIENTS.length * TRIES))))
    return rows
  } finally {
    await Promise.all(sides.map(({ lab }) => lab.close()))
  }
}

async function fwknopdSide(access: string, ports: readonly number[]): Promise<Side> {
  const lab = await openLab()
  for (const port of ports) await lab.server.echo(port)
  await dropByDefault(lab.server, 'udp')
  await FwknopServer.start(lab, { mode: 'udp', access })
  return { name: 'fwknopd', lab }
}

/** Shut as at fwknopd, by dropping: a SYN that comes too early is sent again, not refused. */
async function posterndSide(access: string, services: readonly number[]): Promise<Side> {
  const more = '[FIREWALL]\nclosed = drop\n'
  return { name: 'posternd', lab: await beginFwknop({ access, services, more }) }
}

/** From the packet to the open port, as seen from the client. */
async function packetToOpen(sides: readonly Side[], ports: readonly number[]): Promise<Row[]> {
  const found: (readonly [string, number[]])[] = []
  for (const { name, lab } of sides) {
    const wanted: PacketToOpen = {
      address: lab.server.v4,
      udpPort: FWKNOP_PORT,
      key: KEYS.rijndael,
      hmac: KEYS.hmac,
      ports,
    }
    const file = join(lab.folder, 'packet-to-open.json')
    writeFileSync(file, JSON.stringify(wanted))
    const said = await lab.client.must([process.execPath, '--import', 'tsx', PACKET_TO_OPEN, file], {
      timeoutMs: 120_000,
    })
    found.push([name, (JSON.parse(said) as (number | null)[]).filter((ms) => ms !== null)])
  }
  const [, theirs] = found[0]!
  return found.map(([name, samples]) => ({
    what: `from fwknop's packet to the open port at ${name}`,
    unit: 'ms',
    samples,
    goal: name === 'posternd' ? 'a tenth of fwknopd’s' : '',
    ...(name === 'posternd' && theirs.length > 0 && { against: { what: 'fwknopd', median: median(theirs) } }),
  }))
}

/** All four at one distance, one try of each in turn. */
async function measure(sides: readonly Side[], roundTripMs: number, ports: readonly number[]): Promise<Row[]> {
  const fars = await Promise.all(sides.map(({ lab }) => (roundTripMs === 0 ? undefined : openFar(lab, roundTripMs))))
  try {
    const ways = sides.flatMap(({ name, lab }, side) =>
      CLIENTS.map((client, nth) => ({
        what: `${client === 'fwknop' ? 'fwknop' : 'postern knock --wait'} && connect at ${name}, ${roundTripMs} ms round trip`,
        lab,
        isOurs: client === 'postern',
        samples: [] as number[],
        journey: (n: number) => journeyOf(client, lab, fars[side]?.v4 ?? lab.server.v4, ports[nth * TRIES + n]!),
      })),
    )
    for (let n = 0; n < TRIES; n++)
      for (const way of ways) {
        const ms = await travel(way.lab, way.journey(n))
        if (ms !== null) way.samples.push(ms)
      }
    const theirs = ways[0]!.samples
    const against = theirs.length === 0 ? undefined : { what: 'fwknop at fwknopd', median: median(theirs) }
    return ways.map(
      ({ what, samples, isOurs }): Row => ({
        what,
        unit: 'ms',
        samples,
        goal: isOurs ? 'without fwknop’s second' : '',
        ...(isOurs && against && { against }),
        ...(samples.length < TRIES && { found: `${TRIES - samples.length} of ${TRIES} never got in` }),
      }),
    )
  } finally {
    await Promise.all(fars.map((far) => far?.close()))
  }
}

function journeyOf(client: (typeof CLIENTS)[number], lab: Lab, address: string, port: number): Journey {
  const home = ['env', `HOME=${lab.folder}`]
  if (client === 'fwknop') {
    const keys = ['--key-rijndael', KEYS.rijndael, '--key-hmac', KEYS.hmac]
    const words = ['--no-rc-file', '--no-save-args', '-s', '-D', address, '-A', `tcp/${port}`, ...keys]
    return { program: [...home, 'fwknop', ...words], address, port }
  }
  writeFileSync(join(lab.folder, '.fwknoprc'), rcStanza('gate', address), { mode: 0o600 })
  return { program: [...home, POSTERN, 'knock', '-q', '-n', 'gate', '--wait', `tcp/${port}`], address, port }
}

async function travel({ folder, client }: Lab, journey: Journey): Promise<number | null> {
  const file = join(folder, 'journeys.json')
  writeFileSync(file, JSON.stringify([journey]))
  const [ms] = JSON.parse(await client.must([process.execPath, '--import', 'tsx', PROGRAM, file])) as (number | null)[]
  return ms!
}
