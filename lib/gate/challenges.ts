/**
 * letmein's challenges without a table of exchanges: a CHALLENGE is an HMAC over all that its RESPONSE must share with the
 * KNOCK, and over a slot, so that it can be made once more when the RESPONSE comes. Specification: docs/PROTOCOL.md, "The
 * letmein exchange".
 *
 * Remembered beside it, for courtesy and speed: which paths have a CHALLENGE of this slot and of the last, at most `places`
 * of each. Only a right, new KNOCK gets there; both maps go with their slots. While all are remembered, a RESPONSE on any
 * other path is refused without a look, and one that is remembered is tried once. Past the bound nothing is refused: each
 * RESPONSE is tried against both operations, and a further KNOCK of a port gets the CHALLENGE that it has already.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Now } from '../replay/clock.js'
import { addressToBytes16 } from '../wire/address.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import type { Path } from './verdict.js'

export const SECRET_BYTES = 32
/** Exchanges remembered for each of two slots: about 1 MB together. */
export const PLACES = 4096
/** A greater step between wall clock and monotonic clock is a clock that was set, or a suspend: what was asked before is void. */
const STEP_MS = 1000
const BINDING_BYTES = 62

/** What a KNOCK or REVOKE asked for. */
export interface Asked {
  readonly operation: 'KNOCK' | 'REVOKE'
  readonly user: UserId
  readonly resource: ResourceId
}

/** What a right RESPONSE would be an answer to. */
export interface Candidate {
  readonly operation: Asked['operation']
  /** 32 bytes. */
  readonly challenge: Uint8Array
  /** When its slot began, Unix ms: one challenge has one time for as long as it lives. */
  readonly timeMs: number
}

/** What is remembered of a path in one slot. */
interface Exchange {
  readonly asked: Asked
  /** How many others this path had in the slot before it: each has a challenge of its own. */
  readonly turn: number
  /** Its RESPONSE was right: the path is free for another one. */
  isAnswered: boolean
}

interface Slot {
  readonly number: number
  readonly begunMonoMs: number
  readonly timeMs: number
  readonly asked: Map<string, Exchange>
  /** An exchange of this slot found no place. */
  hasForgotten: boolean
}

/** How long after its slot's beginning a challenge is still taken: two slots, each as long as letmein's control-timeout. */
export function challengeLifeMs(slotMs: number): number {
  return 2 * slotMs
}

export class Challenges {
  readonly #mac: ReturnType<typeof hmac.create>
  readonly #slotMs: number
  readonly #places: number
  #slots = 0
  #this: Slot | undefined
  #last: Slot | undefined
  #leadMs = 0

  /**
   * `secret`: 32 random bytes of this run. Never two of these with one secret: they would give one challenge two times, and
   * the replay window two places. Throws RangeError where secret or slot does not fit.
   */
  constructor(secret: Uint8Array, slotMs: number, places = PLACES) {
    if (secret.length !== SECRET_BYTES)
      throw new RangeError(`secret of ${secret.length} bytes: expected ${SECRET_BYTES}`)
    if (!(slotMs > 0)) throw new RangeError(`slot of ${slotMs} ms: expected more than 0`)
    this.#mac = hmac.create(sha256, secret)
    this.#slotMs = slotMs
    this.#places = places
  }

  /** How long after its own time a challenge is still taken, ms. */
  get lifeMs(): number {
    return challengeLifeMs(this.#slotMs)
  }

  /** What was asked on this path in this slot and is not answered yet. */
  askedNow(path: Path, now: Now): Asked | undefined {
    const exchange = this.#turn(now).asked.get(nameOf(path))
    return exchange?.isAnswered === false ? exchange.asked : undefined
  }

  /** What was asked on this path in this slot or else the last. */
  askedLately(path: Path, now: Now): Asked | undefined {
    const slot = this.#turn(now)
    return (slot.asked.get(nameOf(path)) ?? this.#last?.asked.get(nameOf(path)))?.asked
  }

  /** The 32 bytes for a CHALLENGE. */
  ask(path: Path, asked: Asked, now: Now): Uint8Array {
    const slot = this.#turn(now)
    const before = slot.asked.get(nameOf(path))
    const turn = before === undefined ? 0 : before.turn + 1
    if (before !== undefined || slot.asked.size < this.#places)
      slot.asked.set(nameOf(path), { asked, turn, isAnswered: false })
    else slot.hasForgotten = true
    return this.#challengeOf(path, asked, slot, turn)
  }

  /** A right RESPONSE came on this path: its next KNOCK is another exchange. (Clients draw their ports, and draw one again.) */
  answered(path: Path, now: Now): void {
    for (const slot of [this.#turn(now), this.#last]) {
      const exchange = slot?.asked.get(nameOf(path))
      if (exchange !== undefined) exchange.isAnswered = true
    }
  }

  /** What a RESPONSE with this user and resource may be an answer to: at most four. */
  *candidates(path: Path, user: UserId, resource: ResourceId, now: Now): Generator<Candidate> {
    for (const slot of [this.#turn(now), this.#last]) {
      if (slot === undefined) continue
      const { asked, turn = 0 } = slot.asked.get(nameOf(path)) ?? {}
      if (asked === undefined && !slot.hasForgotten) continue
      if (asked !== undefined && (asked.user !== user || asked.resource !== resource)) continue
      for (const operation of asked === undefined ? (['KNOCK', 'REVOKE'] as const) : [asked.operation]) {
        const challenge = this.#challengeOf(path, { operation, user, resource }, slot, turn)
        yield { operation, challenge, timeMs: slot.timeMs }
      }
    }
  }

  /** The slot of now; the last one is let go of once none of its challenges counts any more. */
  #turn(now: Now): Slot {
    const leadMs = now.wallMs - now.monoMs
    if (Math.abs(leadMs - this.#leadMs) > STEP_MS) this.#this = this.#last = undefined
    this.#leadMs = leadMs
    if (this.#last !== undefined && now.monoMs >= this.#last.begunMonoMs + this.lifeMs) this.#last = undefined
    if (this.#this !== undefined && now.monoMs < this.#this.begunMonoMs + this.#slotMs) return this.#this
    const isStillTaken = this.#this !== undefined && now.monoMs < this.#this.begunMonoMs + this.lifeMs
    this.#last = isStillTaken ? this.#this : undefined
    this.#this = {
      number: this.#slots++,
      begunMonoMs: now.monoMs,
      timeMs: Math.floor(now.wallMs),
      asked: new Map(),
      hasForgotten: false,
    }
    return this.#this
  }

  #challengeOf(path: Path, asked: Asked, slot: Slot, turn: number): Uint8Array {
    const bytes = new Uint8Array(BINDING_BYTES)
    const view = new DataView(bytes.buffer)
    bytes.set(addressToBytes16(path.source), 0)
    bytes.set(addressToBytes16(path.destination), 16)
    view.setUint16(32, path.sourcePort)
    view.setUint16(34, path.destinationPort)
    view.setUint16(36, path.transport === 'tcp' ? 1 : 0)
    view.setUint32(38, asked.operation === 'REVOKE' ? 1 : 0)
    view.setUint32(42, asked.user)
    view.setUint32(46, asked.resource)
    view.setBigUint64(50, BigInt(slot.number))
    view.setUint32(58, turn)
    return this.#mac.clone().update(bytes).digest()
  }
}

function nameOf(path: Path): string {
  return `${path.transport ?? 'udp'} ${path.source} ${path.sourcePort} ${path.destination} ${path.destinationPort}`
}
