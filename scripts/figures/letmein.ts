/** Beside the real letmein in the same run: its client at both servers, revoke among many leases, junk, and postern's client by name from afar. */
import { fileURLToPath } from 'node:url'
import { parseId } from '../../lib/wire/ids.js'
import { encode } from '../../lib/wire/letmein.js'
import type { Child } from '../../spec/support/child.js'
import { KNOCK_PORT, USER } from '../../spec/support/installation.js'
import { type Lab, openLab } from '../../spec/support/lab.js'
import { LetmeinClient, LetmeinServer, letmeindFile, letmeinFile, RULESET } from '../../spec/support/letmein-peer.js'
import { beginLetmein } from '../../spec/support/letmein-story.js'
import { pause } from '../../spec/support/poll.js'
import { resourceLines } from './crowd.js'
import { openFar } from './far.js'
import { flood } from './flood.js'
import { oneFileClient } from './one-file.js'
import { isInstalled } from './peer.js'
import { median, type Row } from './row.js'
import { timeTurns } from './turns.js'

const POSTERN = fileURLToPath(new URL('../../bin/postern', import.meta.url))
const TURNS = 30
const ROUNDS = 6
const LEASES = 1000
/** letmeind takes 100 where it is not told. */
const MANY = { nftables: ['max-nr-rules = 20000'] }
const FIRST_PORT = 3001
const JUNK = { perSecond: 48_000, seconds: 15 }
const KNOCKS = 20
const ROUND_TRIP_MS = 50
/** So long posternd remembers where a KNOCK came from. */
const PORTS_REST_MS = 11_000

/** One of the two servers, with resources of one port each. */
interface Side {
  readonly name: string
  readonly lab: Lab
  readonly daemons: readonly Child[]
  letmein(...words: string[]): readonly string[]
}

export async function letmein(): Promise<Row[]> {
  if (!isInstalled('letmein')) return [{ what: 'letmein', found: 'is not installed: left out', goal: '' }]
  const few = await withSides(1, async (sides) => [
    ...(await clients(sides)),
    await junked(sides[0], `${KNOCKS} of ${KNOCKS}; log bounded`),
    await junked(sides[1], ''),
    ...(await byName(sides[1])),
  ])
  return [...few, ...(await withSides(LEASES, revokes))]
}

/** Both servers, each with so many resources. */
async function withSides(count: number, measure: (sides: readonly [Side, Side]) => Promise<Row[]>): Promise<Row[]> {
  const resources = resourceLines(count, FIRST_PORT, 'timeout: 600')
  const sides = [await posterndSide(resources), await letmeindSide(resources)] as const
  try {
    return await measure(sides)
  } finally {
    await Promise.all(sides.map(({ lab }) => lab.close()))
  }
}

async function posterndSide(resources: readonly string[]): Promise<Side> {
  const {
    daemon,
    letmein: client,
    ...lab
  } = await beginLetmein({
    resources,
    services: [FIRST_PORT],
    more: '[LIMITS]\nleases-per-user = 0\n',
  })
  return { name: 'posternd', lab, daemons: [daemon], letmein: wordsOf(client) }
}

async function letmeindSide(resources: readonly string[]): Promise<Side> {
  const lab = await openLab()
  await lab.server.echo(FIRST_PORT)
  const { daemon, firewall } = await LetmeinServer.start(lab, {
    config: letmeindFile(resources, MANY),
    ruleset: RULESET,
  })
  return {
    name: 'letmeind',
    lab,
    daemons: [daemon, firewall],
    letmein: wordsOf(new LetmeinClient(lab, letmeinFile(resources))),
  }
}

function wordsOf({ configFile }: LetmeinClient) {
  return (...words: string[]) => ['letmein', '--config', configFile, ...words]
}

async function clients([ours, theirs]: readonly [Side, Side]): Promise<Row[]> {
  const [here, there]: [number[], number[]] = [[], []]
  // In turns: what else the machine does meanwhile is the same for both.
  for (let round = 0; round < ROUNDS; round++) {
    here.push(...(await timed(ours)))
    there.push(...(await timed(theirs)))
  }
  const against = { what: 'at letmeind', median: median(there) }
  return [
    {
      what: 'letmein knock ADDRESS PORT at posternd',
      unit: 'ms',
      samples: here,
      against,
      goal: 'no longer than at letmeind',
    },
    { what: 'letmein knock ADDRESS PORT at letmeind', unit: 'ms', samples: there, goal: '' },
  ]
}

async function timed({ lab, letmein: words }: Side): Promise<number[]> {
  const [samples] = await timeTurns(lab, {
    turns: TURNS / ROUNDS,
    programs: [words('knock', lab.server.v4, String(FIRST_PORT))],
  })
  return samples!
}

/** What LEASES leases add to a revoke: the whole program's time with them, less its time without. */
async function revokes(sides: readonly Side[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, lab, letmein: words } of sides) {
    const of = (verb: string, port: number) => words(verb, lab.server.v4, String(port))
    const revoke = { turns: TURNS, programs: [of('revoke', FIRST_PORT)] }
    const [alone] = await timeTurns(lab, revoke)
    const ports = Array.from({ length: LEASES }, (_, n) => FIRST_PORT + n)
    for (const port of ports) await opens(lab, of('knock', port))
    await pause(PORTS_REST_MS)
    const rest = ports.slice(1, TURNS + 2).map((port) => of('revoke', port))
    const many = (await timeTurns(lab, { turns: 1, programs: rest, isWarm: true })).flat()
    const added = Math.max(0, median(many) - median(alone!)).toFixed(1)
    rows.push({
      what: `letmein revoke at ${name} among ${LEASES.toLocaleString('en')} leases`,
      unit: 'ms',
      samples: many,
      found: `${added} more than with none`,
      goal: name === 'posternd' ? 'at most 5 more' : '',
    })
  }
  return rows
}

/** A further try where the client happens on a source port that it had a moment ago: posternd refuses a second KNOCK from one. */
async function opens({ client }: Lab, program: readonly string[]): Promise<void> {
  for (let left = 3; left > 0; left--) if ((await client.run(program)).status === 0) return
  throw new Error(`${program.join(' ')}: refused three times`)
}

/** Whether the real client gets in while a stranger sends datagrams of the right shape with a known user's number. */
async function junked({ name, lab, daemons, letmein: words }: Side, goal: string): Promise<Row> {
  const prefix = encode({
    operation: 'KNOCK',
    user: parseId(USER)!,
    resource: 1,
    salt: new Uint8Array(8),
    auth: new Uint8Array(32),
  }).subarray(0, 16)
  const before = bytesSaid(daemons)
  const raging = flood(lab.stranger, lab.server.v4, { ...JUNK, port: KNOCK_PORT, prefix, bytes: 56 })
  let got = 0
  for (let n = 0; n < KNOCKS; n++) {
    await pause((JUNK.seconds * 800) / KNOCKS)
    const { status } = await lab.client.run(words('knock', lab.server.v4, String(FIRST_PORT)))
    if (status === 0) got++
  }
  const { sent, seconds } = await raging
  const perSecond = Math.round(sent / seconds).toLocaleString('en')
  const log = Math.round((bytesSaid(daemons) - before) / seconds / 1000)
  return {
    what: `letmein knocks at ${name} under ${perSecond} junk/s of a known user`,
    found: `${got} of ${KNOCKS}; log ${log} kB/s`,
    goal,
  }
}

function bytesSaid(daemons: readonly Child[]): number {
  return daemons.flatMap(({ lines }) => lines).reduce((sum, line) => sum + line.length + 1, 0)
}

/** postern and the real client at letmeind, by a name with both families, over a link of 50 ms. */
async function byName({ lab, letmein: words }: Side): Promise<Row[]> {
  const far = await openFar(lab, ROUND_TRIP_MS)
  try {
    const file = words()[2]!
    const ours = [POSTERN, oneFileClient()].flatMap((program) =>
      program === undefined ? [] : [[program, 'knock', '-q', '-c', file, 'far', String(FIRST_PORT)]],
    )
    const programs = [words('knock', 'far', String(FIRST_PORT)), ...ours]
    const [theirs, ...times] = await timeTurns(lab, { turns: TURNS, programs }, [`${far.v4} far`, `${far.v6} far`])
    const against = { what: 'letmein', median: median(theirs!) }
    return [
      ...times.map((samples, index) => ({
        what: `postern knock NAME PORT at letmeind, ${ROUND_TRIP_MS} ms${index === 0 ? '' : ', the client in one file'}`,
        unit: 'ms',
        samples,
        against,
        goal: '<= 0.6 x letmein',
      })),
      { what: `letmein knock NAME PORT at letmeind, ${ROUND_TRIP_MS} ms`, unit: 'ms', samples: theirs!, goal: '' },
    ]
  } finally {
    await far.close()
  }
}
