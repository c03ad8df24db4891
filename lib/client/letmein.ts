/**
 * A knock or a revocation by letmein's exchange, at all addresses of a host. Specification: docs/PROTOCOL.md, "The letmein
 * exchange". Needs no clock; is answered, so what comes of it is known.
 */
import type { Family } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import { portFor } from './control-port.js'
import { KnockError } from './error.js'
import type { Random } from './knock.js'
import type { Dial, Transport } from './letmein-line.js'
import { type Answer, Round } from './letmein-round.js'
import { Visit } from './letmein-visit.js'
import { type Destination, type Lookup, literalOf, type Resolution, resolve, unresolved } from './resolve.js'

/** letmeind has 8 places for one address: a knock at many ports leaves half of them to repetitions and to neighbours. */
const AT_ONCE = 4

export interface LetmeinErrand {
  readonly host: string
  readonly families: readonly Family[]
  /** Every one of the families has to say COMEIN; else one is enough. */
  readonly isEveryFamilyWanted: boolean
  readonly operation: 'KNOCK' | 'REVOKE'
  readonly user: UserId
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly resources: readonly ResourceId[]
  readonly transport: Transport
  /** `any`: a random high port for each KNOCK. */
  readonly controlPort: number | 'any'
  /** control-timeout: how long each message is waited for. */
  readonly timeoutMs: number
}

/** What the outside does for it. */
export interface LetmeinOutside {
  readonly random: Random
  readonly lookup: Lookup
  readonly dial: Readonly<Record<Transport, Dial>>
}

export interface LetmeinOutcome {
  /** For each resource, what each address answered; in the errand's order. */
  readonly answers: ReadonlyMap<ResourceId, readonly Answer[]>
}

/**
 * Does it. Throws KnockError where no address was found (`resolve`), or where both families are wanted of a literal address
 * (`option`); RangeError where a number does not fit. A server that does not let in is no error, but an outcome.
 * `signal` ends it at once; what is not told by then is `left`.
 */
export async function performLetmein(
  errand: LetmeinErrand,
  outside: LetmeinOutside,
  signal?: AbortSignal,
): Promise<LetmeinOutcome> {
  refuseLiteral(errand)
  const resolution = resolve(errand.host, errand.families, outside.lookup)
  const answers = new Map<ResourceId, readonly Answer[]>()
  for (let first = 0; first < errand.resources.length; first += AT_ONCE) {
    const some = errand.resources.slice(first, first + AT_ONCE)
    const rounds = some.map((resource) => roundOf(resource, errand, resolution, outside))
    const leave = () => {
      for (const round of rounds) round.leave()
    }
    signal?.addEventListener('abort', leave)
    const told = await Promise.all(rounds.map(({ over }) => over))
    signal?.removeEventListener('abort', leave)
    some.forEach((resource, i) => {
      answers.set(resource, told[i]!)
    })
    if (told.every((one) => one.length === 0) && !signal?.aborted) throw await nowhere(errand, resolution)
    if (signal?.aborted) break
  }
  return { answers }
}

/** Whether the answers of one resource are what was wanted: COMEIN of one address, or of each family. */
export function isLetIn(answers: readonly Answer[] | undefined, errand: LetmeinErrand): boolean {
  const families = new Set(answers?.flatMap(({ end, to }) => (end === 'comein' ? [to.family] : [])))
  return errand.isEveryFamilyWanted ? errand.families.every((family) => families.has(family)) : families.size > 0
}

function refuseLiteral({ host, isEveryFamilyWanted }: LetmeinErrand): void {
  const literal = literalOf(host)
  if (!isEveryFamilyWanted || literal === undefined) return
  throw new KnockError('option', `${host} is an IPv${literal.family} address: leave -4 and -6 out`)
}

function roundOf(
  resource: ResourceId,
  errand: LetmeinErrand,
  resolution: Resolution,
  { random, dial }: LetmeinOutside,
): Round {
  const { operation, user, key, transport, controlPort, timeoutMs } = errand
  const port = () => portFor(controlPort, random)
  const exchange = { operation, user, key, resource, random }
  const visit = (to: Destination) =>
    new Visit({ to, port, dial: dial[transport], isRepeated: transport === 'udp', exchange, timeoutMs })
  return new Round(resolution, errand.isEveryFamilyWanted, visit)
}

/** The sentence for a host without an address. */
async function nowhere({ host, families }: LetmeinErrand, resolution: Resolution): Promise<KnockError> {
  const settled = await Promise.allSettled(resolution)
  return unresolved(
    host,
    families,
    settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
  )
}
