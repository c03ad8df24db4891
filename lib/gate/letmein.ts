/**
 * The letmein gate: is this a KNOCK or REVOKE of a user of ours, or the RESPONSE to a CHALLENGE of ours? Specification:
 * docs/PROTOCOL.md, "The letmein exchange". Pure: clocks and randomness are handed in, and the salts' memory.
 *
 * But for the policy `always`, every byte that goes out answers a message whose auth was right and that was not heard before.
 * So nothing that a stranger sends is answered, and nothing ends somebody's exchange: where letmeind answers a wrong RESPONSE
 * with GOAWAY, here is silence, and the right one is still taken. What only a server says is never answered, or two servers
 * would answer each other for ever.
 */
import type { Now } from '../replay/clock.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import {
  type AuthOf,
  authOf,
  decode,
  encode,
  isSameAuth,
  type Message,
  type MessageOperation,
  NO_ID,
  SALT_BYTES,
  ZERO_AUTH,
} from '../wire/letmein.js'
import type { Asked, Candidate, Challenges } from './challenges.js'
import type { Answer, Datagram, LetmeinWhy, Path, Verdict } from './verdict.js'

export type ErrorPolicy = 'always' | 'basic-auth' | 'full-auth'
export type LetmeinVerdict = Verdict<LetmeinWhy>

export interface LetmeinResource {
  readonly id: ResourceId
  /** undefined: every user. */
  readonly users?: readonly UserId[]
  /** It would open the port that letmein itself is heard at: refused, as letmeind does it. */
  readonly isControlPort: boolean
}

/** One key of a user, 32 bytes; `untilMs`: it is dead from this time on, Unix ms. */
export interface LetmeinKey {
  readonly id: UserId
  readonly key: Uint8Array
  readonly untilMs?: number
}

export interface LetmeinSettings {
  /** A user has several where one is being changed. */
  readonly users: readonly LetmeinKey[]
  readonly resources: readonly LetmeinResource[]
  /** When GOAWAY may be sent. */
  readonly errorPolicy: ErrorPolicy
}

/** Remembers the salts of KNOCKs and REVOKEs whose auth was right. */
export interface SaltMemory {
  /** `new`: it is written down by now. 8 bytes. */
  note(user: UserId, salt: Uint8Array): 'new' | 'seen' | 'failed'
}

export interface LetmeinParts {
  /** Outlives a gate where only the settings are new. */
  readonly challenges: Challenges
  readonly salts: SaltMemory
  random(length: number): Uint8Array
  /** Another HMAC-SHA3-256 than noble's. */
  readonly authOf?: AuthOf
}

interface Openable {
  readonly isControlPort: boolean
  readonly users: ReadonlySet<UserId> | undefined
}

export class LetmeinGate {
  readonly #keys = new Map<UserId, LetmeinKey[]>()
  readonly #resources: ReadonlyMap<ResourceId, Openable>
  readonly #policy: ErrorPolicy
  readonly #parts: LetmeinParts
  readonly #authOf: AuthOf

  constructor(settings: LetmeinSettings, parts: LetmeinParts) {
    for (const key of settings.users) {
      const keys = this.#keys.get(key.id)
      if (keys === undefined) this.#keys.set(key.id, [key])
      else keys.push(key)
    }
    this.#resources = new Map(
      settings.resources.map(({ id, users, isControlPort }) => [
        id,
        { isControlPort, users: users === undefined ? undefined : new Set(users) },
      ]),
    )
    this.#policy = settings.errorPolicy
    this.#parts = parts
    this.#authOf = parts.authOf ?? authOf
  }

  /** What this datagram, or message of a TCP stream, is. Never throws, whatever the bytes are. */
  judge(datagram: Datagram, now: Now): LetmeinVerdict {
    const message = decode(datagram.bytes)
    if ('why' in message) return { kind: 'silence', ...message }
    switch (message.operation) {
      case 'KNOCK':
      case 'REVOKE':
        return this.#knock({ ...message, operation: message.operation }, pathOf(datagram), now)
      case 'RESPONSE':
        return this.#response(message, pathOf(datagram), now)
      case 'CHALLENGE':
      case 'COMEIN':
      case 'GOAWAY':
        return { kind: 'silence', why: 'order' }
      default:
        return message.operation satisfies never
    }
  }

  /** In this order: who; seen before; a CHALLENGE is out already; what. */
  #knock(knock: Message & Asked, path: Path, now: Now): LetmeinVerdict {
    const { user, resource } = knock
    const keys = this.#keysOf(user, now)
    if (keys.length === 0) return this.#refuseStranger(knock, 'unknown-user')
    const isRight = ({ key }: LetmeinKey) => isSameAuth(knock.auth, this.#authOf(key, knock, ZERO_AUTH))
    if (!keys.some(isRight)) return this.#refuseStranger(knock, 'auth')
    const noted = this.#parts.salts.note(user, knock.salt)
    if (noted !== 'new') return { kind: 'silence', why: noted === 'seen' ? 'salt' : 'salts', user }
    const { challenges } = this.#parts
    const running = challenges.askedNow(path, now)
    if (running !== undefined) return this.#refuseKnown(user, running, 'port')
    const why = this.#refusalOf(user, resource)
    if (why !== undefined) return this.#refuseKnown(user, knock, why)
    const auth = challenges.ask(path, { operation: knock.operation, user, resource }, now)
    return { kind: 'reply', bytes: this.#message('CHALLENGE', user, resource, auth), isLast: false, user }
  }

  #response(response: Message, path: Path, now: Now): LetmeinVerdict {
    const { user, resource } = response
    const answered = this.#answeredBy(response, path, now)
    if (answered === undefined) {
      if (this.#policy !== 'always') return { kind: 'silence', why: 'response' }
      const asked = this.#parts.challenges.askedLately(path, now)
      return this.#goaway(asked?.user ?? NO_ID, asked?.resource ?? NO_ID, 'response')
    }
    this.#parts.challenges.answered(path, now)
    // Asked and answered, but the configuration was read anew in between.
    const why = this.#refusalOf(user, resource)
    if (why !== undefined) return { ...this.#goaway(user, resource, why), user }
    return {
      kind: 'request',
      request: {
        protocol: 'letmein',
        operation: answered.operation === 'KNOCK' ? 'open' : 'revoke',
        user,
        resource,
        address: path.source,
        addressSigned: false,
        lifetimeSeconds: 0,
        replay: {
          user,
          id: answered.challenge,
          timeMs: answered.timeMs,
          expiresMs: answered.timeMs + Math.ceil(this.#parts.challenges.lifeMs),
          isOfThisRun: true,
        },
        answer: this.#answer(user, resource, path),
      },
    }
  }

  #answeredBy(response: Message, path: Path, now: Now): Candidate | undefined {
    const keys = this.#keysOf(response.user, now)
    if (keys.length === 0) return undefined
    const candidates = this.#parts.challenges.candidates(path, response.user, response.resource, now)
    for (const candidate of candidates)
      for (const { key } of keys)
        if (isSameAuth(response.auth, this.#authOf(key, response, candidate.challenge))) return candidate
    return undefined
  }

  /** The keys that a user may use at this time. */
  #keysOf(user: UserId, { wallMs }: Now): LetmeinKey[] {
    return (this.#keys.get(user) ?? []).filter(({ untilMs }) => untilMs === undefined || wallMs < untilMs)
  }

  #refusalOf(user: UserId, id: ResourceId): 'resource' | 'not-allowed' | 'control-port' | undefined {
    const resource = this.#resources.get(id)
    if (resource === undefined) return 'resource'
    if (resource.users?.has(user) === false) return 'not-allowed'
    return resource.isControlPort ? 'control-port' : undefined
  }

  /** Before basic-auth. */
  #refuseStranger(knock: Message, why: 'unknown-user' | 'auth'): LetmeinVerdict {
    if (this.#policy === 'always') return this.#goaway(knock.user, knock.resource, why)
    return { kind: 'silence', why }
  }

  /** After basic-auth. GOAWAY names the ids of the exchange that it ends. */
  #refuseKnown(user: UserId, asked: Asked, why: LetmeinWhy): LetmeinVerdict {
    const detail = `resource ${formatId(asked.resource)}`
    if (this.#policy === 'full-auth') return { kind: 'silence', why, user, detail }
    return { ...this.#goaway(asked.user, asked.resource, why), user, detail }
  }

  #goaway(user: UserId, resource: ResourceId, why: LetmeinWhy) {
    return { kind: 'reply', bytes: this.#message('GOAWAY', user, resource), isLast: true, why } as const
  }

  #answer(user: UserId, resource: ResourceId, path: Path): Answer {
    const comein = this.#message('COMEIN', user, resource)
    return { path, comein, goaway: this.#message('GOAWAY', user, resource) }
  }

  #message(operation: MessageOperation, user: UserId, resource: ResourceId, auth: Uint8Array = ZERO_AUTH): Uint8Array {
    return encode({ operation, user, resource, salt: this.#parts.random(SALT_BYTES), auth })
  }
}

/** The datagram's way, without its bytes: they may lie in a buffer that the next one overwrites. */
function pathOf(datagram: Datagram): Path {
  const { source, sourcePort, destination, destinationPort, transport, inputInterface } = datagram
  return {
    source,
    sourcePort,
    destination,
    destinationPort,
    ...(transport !== undefined && { transport }),
    ...(inputInterface !== undefined && { inputInterface }),
  }
}
