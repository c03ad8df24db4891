/** What became of each knock: a line in the log, a place in the ring that `posternd log` reads, and a count. */
import type { ServerConfig } from '../config/types.js'
import type { LeaseOutcome, LeaseRequest } from '../firewall/types.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import { EventRing, type KnockEvent } from './events.js'
import type { Frame } from './frames.js'
import type { Fields, Log } from './log.js'
import { describeOutcome, describeRefusal, describeRequest, namesOf } from './outcomes.js'
import { REASON_LIST } from './reasons.js'
import { RefusalWords } from './refusals.js'
import { Tally } from './tally.js'

export class Chronicle {
  readonly tally = new Tally()
  readonly ring = new EventRing()
  readonly #words = new RefusalWords()
  readonly #log: Log
  readonly #wallMs: () => number
  #config: ServerConfig

  /** `config`: whose names it tells. */
  constructor(log: Log, wallMs: () => number, config: ServerConfig) {
    this.#log = log
    this.#wallMs = wallMs
    this.#config = config
  }

  /** Another configuration is in force. */
  use(config: ServerConfig): void {
    this.#config = config
  }

  /** What the rule manager did with each request. */
  outcomes(requests: readonly Told[], outcomes: readonly LeaseOutcome[]): void {
    for (const [i, request] of requests.entries()) this.#outcome(request, outcomes[i]!)
  }

  /** The kernel opened by itself, and this is what its record says. */
  record({ user, resource, address }: Extract<Frame, { kind: 'record' }>, outcome: LeaseOutcome): void {
    this.tally.add('instant')
    const request = { operation: 'open', user, resource, address, lifetimeMs: 0 } as const
    const names = namesOf(user, resource, this.#config)
    const taken = outcome.kind === 'refused' ? 'taken back, ' : ''
    const message = `${taken}${describeOutcome(outcome)} by the kernel: ${describeRequest(request, names)}`
    this.#tell({ ...whatOf(outcome), protocol: 'spa', ...this.#whoseOf(user, request), instant: true, message })
  }

  /** What the listener counted, and what it refused. */
  heard(frame: Extract<Frame, { kind: 'counter' | 'words' | 'refused' }>): void {
    switch (frame.kind) {
      case 'counter':
        this.tally.refused(frame.index, frame.count)
        break
      case 'words':
        this.#words.add(frame.text)
        break
      case 'refused':
        this.#refused(frame)
        break
      default:
        frame satisfies never
    }
  }

  #outcome(request: Told, outcome: LeaseOutcome): void {
    this.tally.add(outcome.kind)
    const { user, resource, protocol } = request
    const message = `${describeOutcome(outcome)}: ${describeRequest(request, namesOf(user, resource, this.#config))}`
    this.#tell({ ...whatOf(outcome), ...(protocol && { protocol }), ...this.#whoseOf(user, request), message })
  }

  /** A frame that names no reason of ours tells nothing. */
  #refused(frame: Extract<Frame, { kind: 'refused' }>): void {
    const { user, wish, protocol, address } = frame
    const detail = this.#words.take()
    const message = describeRefusal(frame, namesOf(user, wish?.resource, this.#config), detail)
    if (message === undefined) return
    const whose = this.#whoseOf(user, { address, ...wish })
    const reason = REASON_LIST[frame.reason]!
    this.#tell({ event: 'refused', reason, ...(detail && { detail }), protocol, ...whose, message })
  }

  #whoseOf(user: UserId | undefined, asked: Asked): Omit<KnockEvent, 'event' | 'message' | 'number' | 'atMs'> {
    const { address, resource, operation } = asked
    const { people, resources, fwknop } = this.#config
    const title = fwknop?.settings.stanzas.find((stanza) => stanza.user === user)?.title
    const userName = user === undefined ? undefined : (title ?? people.get(user)?.name)
    const resourceName = resource === undefined ? undefined : resources.get(resource)?.name
    return {
      address,
      ...(operation && { operation }),
      ...(user !== undefined && { user: formatId(user) }),
      ...(userName !== undefined && { userName }),
      ...(resource !== undefined && { resource: formatId(resource) }),
      ...(resourceName !== undefined && { resourceName }),
    }
  }

  #tell(told: Omit<KnockEvent, 'number' | 'atMs'>): void {
    this.ring.add({ atMs: this.#wallMs(), ...told })
    if (told.event === 'refused') this.#log.warn(told.message, fieldsOf(told))
    else this.#log.info(told.message, fieldsOf(told))
  }
}

/** A request, and by which protocol it came; none: the administrator's. */
type Told = LeaseRequest & { readonly protocol?: KnockEvent['protocol'] }

interface Asked {
  readonly address: string
  readonly resource?: ResourceId
  readonly operation?: LeaseRequest['operation']
}

function whatOf(outcome: LeaseOutcome): Pick<KnockEvent, 'event' | 'remainingMs' | 'reason' | 'detail'> {
  if (outcome.kind === 'refused') {
    const { kind, why, detail } = outcome
    return { event: kind, reason: why, ...(detail !== undefined && { detail }) }
  }
  return { event: outcome.kind, ...('remainingMs' in outcome && { remainingMs: outcome.remainingMs }) }
}

/** As the journal and JSON have them. */
function fieldsOf(told: Omit<KnockEvent, 'number' | 'atMs'>): Fields {
  const { message: _, remainingMs, instant, userName, resourceName, ...rest } = told
  return {
    ...rest,
    ...(userName !== undefined && { user_name: userName }),
    ...(resourceName !== undefined && { resource_name: resourceName }),
    ...(remainingMs !== undefined && { remaining_ms: String(Math.round(remainingMs)) }),
    ...(instant && { instant: 'yes' }),
  }
}
