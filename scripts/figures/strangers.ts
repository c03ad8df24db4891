/**
 * What a flood costs the daemon's processes, and whether knocks are heard in the midst of it: datagrams from nobody at one
 * knock port, at any port, and the bytes of a knock that was recorded, again and again.
 */
import { KNOCK_PORT } from '../../spec/support/installation.js'
import { pause } from '../../spec/support/poll.js'
import { type Bed, openBed } from './bed.js'
import { Crowd, resourceLines } from './crowd.js'
import { flood } from './flood.js'
import { inWords, spent } from './processes.js'
import type { Row } from './row.js'

const SECONDS = 10
/** As fast as the sender can. */
const PER_SECOND = 400_000
const KNOCKS = 20
const RESOURCES = 64

export async function strangers(): Promise<Row[]> {
  return [...(await flooded('one knock port', `${KNOCK_PORT} / udp`)), ...(await flooded('port = any', 'any / udp'))]
}

async function flooded(where: string, port: string): Promise<Row[]> {
  const crowd = new Crowd(10)
  const bed = await openBed({ crowd, resources: resourceLines(RESOURCES, 3001, 'timeout: 60'), port })
  try {
    await pause(2_000)
    const { used: idle } = await spent(bed.pids, () => pause(SECONDS * 1000))
    const goal = `as at rest: ${inWords(idle)}`
    const { result: sent, used: random } = await spent(bed.pids, () => send(bed))
    const rows: Row[] = [
      { what: `${where}, ${sent} strangers/s: ticks of 10 ms in ${SECONDS} s`, found: inWords(random), goal },
    ]
    rows.push(await knocksMeanwhile(bed, crowd, where))
    rows.push(await recorded(bed, crowd, where, goal))
    return rows
  } finally {
    await bed.close()
  }
}

/** A whole flood; how many a second it was, in words. */
async function send({ stranger, server }: Bed, prefix?: Uint8Array): Promise<string> {
  const of = { port: KNOCK_PORT, perSecond: PER_SECOND, seconds: SECONDS, ...(prefix && { prefix }) }
  const { sent, seconds } = await flood(stranger, server.v4, of)
  return Math.round(sent / seconds).toLocaleString('en')
}

async function knocksMeanwhile(bed: Bed, crowd: Crowd, where: string): Promise<Row> {
  const before = await bed.accepted()
  const raging = send(bed)
  for (let n = 0; n < KNOCKS; n++) {
    await pause((SECONDS * 800) / KNOCKS)
    await bed.client.send(bed.server.v4, KNOCK_PORT, [crowd.knock({ resource: n + 2 })])
  }
  const sent = await raging
  await pause(500)
  const accepted = (await bed.accepted()) - before
  return {
    what: `${where}, knocks accepted among ${sent} strangers/s`,
    found: `${accepted} of ${KNOCKS}`,
    goal: `${KNOCKS} of ${KNOCKS}`,
  }
}

/** The tag of a knock that was spent, with other bytes behind it: what anybody can send who saw one go by. */
async function recorded(bed: Bed, crowd: Crowd, where: string, goal: string): Promise<Row> {
  const seen = crowd.knock({ resource: 1 })
  await bed.client.send(bed.server.v4, KNOCK_PORT, [seen])
  await pause(200)
  const heard = async () => (await bed.postern.status()).counters['refused seal'] ?? 0
  const before = await heard()
  const { result: sent, used } = await spent(bed.pids, () => send(bed, seen.subarray(0, 8)))
  await pause(2_500)
  const judged = (await heard()) - before
  const what = `${where}, ${sent}/s with a recorded tag: ticks in ${SECONDS} s`
  return { what, found: `${inWords(used)}; ${judged} were judged`, goal: `${goal}; 5 a second judged` }
}
