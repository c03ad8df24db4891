/**
 * A knock that finds out by itself which protocol gets in: postern's own datagram first, and where the port does not open,
 * letmein's exchange, which needs no clock. Specification: docs/PROTOCOL.md, "Which protocol a client takes".
 */
import type { ResourceId } from '../wire/ids.js'
import type { ClientOutside } from './client-system.js'
import { isLetIn, type LetmeinErrand, performLetmein } from './letmein.js'
import type { Answer } from './letmein-round.js'
import { type Errand, type Outcome, perform } from './perform.js'
import { remembered } from './resolve.js'
import { type Opened, Watch } from './watch.js'

/** How long a port may take to open for postern's own datagram, which is sent twice in it. A satellite's round trip fits in. */
export const PATIENCE_MS = 1000
/** How long a port that was opened by the exchange is looked at, to tell whether that made the difference. */
const LOOK_MS = 1000
/** A port is seen open a moment before the server's COMEIN is here. */
const LAST_WORD_MS = 100

export interface Probed {
  readonly resource: ResourceId
  /** A TCP port that shows whether it is open. */
  readonly port: number
}

export interface AutoErrand {
  /** Without `wait`. */
  readonly spa: Errand
  readonly letmein: LetmeinErrand
  /** Resources that are not here cannot be seen: both protocols are sent for them. */
  readonly probed: readonly Probed[]
  /** Wait for the ports, for so long in all. */
  readonly waitMs?: number
}

export interface AutoOutcome {
  readonly spa: Outcome
  /** What letmein's exchange said, of the resources for which it was needed. */
  readonly answers: ReadonlyMap<ResourceId, readonly Answer[]>
  readonly opened: ReadonlyMap<number, Opened>
  /** What stayed shut after postern's own knock, and was open after the exchange. */
  readonly openedByExchange: ReadonlySet<ResourceId>
}

/** Knocks. Throws as `perform` and `performLetmein` do. */
export async function performAuto(errand: AutoErrand, outside: ClientOutside): Promise<AutoOutcome> {
  const shared = { ...outside, lookup: remembered(outside.lookup) }
  const seen = new Set(errand.probed.map(({ resource }) => resource))
  const unseen = errand.letmein.resources.filter((resource) => !seen.has(resource))
  const [spa, blind] = await Promise.all([
    perform(patiently(errand), shared),
    ask(errand, unseen, (all) => performLetmein(all, shared)),
  ])
  const shut = errand.probed.filter(({ port }) => !spa.opened.has(port))
  const late = shut.length > 0 ? await fallBack(errand, shut, spa, shared) : undefined
  return {
    spa,
    answers: new Map([...blind, ...(late?.answers ?? [])]),
    opened: new Map([...spa.opened, ...(late?.opened ?? [])]),
    openedByExchange: late?.openedByExchange ?? new Set(),
  }
}

function patiently({ spa, probed, waitMs }: AutoErrand): Errand {
  if (probed.length === 0) return spa
  const timeoutMs = patienceOf(waitMs)
  const wait = { ports: probed.map(({ port }) => port), timeoutMs }
  return { ...spa, tries: Math.max(2, spa.tries), tryPauseMs: timeoutMs / 2, wait }
}

function patienceOf(waitMs = Number.POSITIVE_INFINITY): number {
  return Math.min(PATIENCE_MS, waitMs / 2)
}

async function ask(
  { letmein }: AutoErrand,
  resources: readonly ResourceId[],
  exchange: (errand: LetmeinErrand) => ReturnType<typeof performLetmein>,
): Promise<ReadonlyMap<ResourceId, readonly Answer[]>> {
  if (resources.length === 0) return new Map()
  return (await exchange({ ...letmein, resources })).answers
}

/** The exchange, for what is still shut; the ports are looked at all the while, for a slow datagram may yet open them. */
async function fallBack(errand: AutoErrand, shut: readonly Probed[], spa: Outcome, outside: ClientOutside) {
  const { letmein, waitMs } = errand
  const limitMs = waitMs === undefined ? 2 * letmein.timeoutMs + LOOK_MS : waitMs - patienceOf(waitMs)
  const ports = shut.map(({ port }) => port)
  const watch = new Watch(ports, limitMs, outside.probe)
  const enough = new AbortController()
  try {
    watch.follow(spa.destinations)
    void watch.over.then(() => outside.pause(LAST_WORD_MS)).then(() => enough.abort())
    const resources = [...new Set(shut.map(({ resource }) => resource))]
    const answers = await ask(errand, resources, (all) => performLetmein(all, outside, enough.signal))
    const isIn = ({ resource }: Probed) => isLetIn(answers.get(resource), letmein)
    // From now on at short intervals again.
    if (shut.some(isIn) && !watch.isOver) watch.follow(spa.destinations)
    if (waitMs !== undefined) await watch.over
    else if (shut.some(isIn)) await Promise.race([watch.over, outside.pause(LOOK_MS)])
    const openedByExchange = new Set(
      shut.filter((one) => isIn(one) && watch.opened.has(one.port)).map(({ resource }) => resource),
    )
    return { answers, opened: watch.opened, openedByExchange }
  } finally {
    watch.stop()
  }
}
