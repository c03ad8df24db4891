/**
 * Who is it, for postern SPA version 1: one look-up among the tags of every user for every slot in the accepted window, and
 * only for a known tag any cryptography. Specification: docs/PROTOCOL.md, "What the server does", steps 1–4.
 * Remembers nothing but that table; time is handed in.
 */
import { formatId, type UserId } from '../wire/ids.js'
import { type Knock, MAX_BYTES, MIN_BYTES, NONCE_BYTES, open } from '../wire/spa.js'
import { slotOf, TAG_BYTES, tagsOf } from '../wire/spa-keys.js'
import { TagTable } from './tag-table.js'
import type { Datagram, Silence, Verdict } from './verdict.js'

/** A user as this gate knows him: two sub-keys bound to the realm, 32 bytes each. */
export interface GateUser {
  readonly id: UserId
  readonly tag: Uint8Array
  readonly seal: Uint8Array
  /** The key is dead from this time on, Unix ms; undefined: it has no end. A user has several keys where one is being changed. */
  readonly untilMs?: number
}

export interface SpaGateParts {
  readonly users: Iterable<GateUser>
  /** How far a datagram's time may be from the server's, either way. */
  readonly windowMs: number
}

/** How many users' tags are made between two yields of `rolling`: about 1 ms. */
const USERS_AT_ONCE = 100

export class SpaGate {
  readonly #users: readonly GateUser[]
  readonly #windowMs: number
  readonly #tables = new Map<number, TagTable>()

  /**
   * A gate that knows nobody until it is rolled. Users with the same key have the same tags: only the first of them is ever
   * let through. Throws RangeError where the window is no positive number of ms.
   */
  constructor({ users, windowMs }: SpaGateParts) {
    if (!Number.isFinite(windowMs) || windowMs <= 0) throw new RangeError(`window ${windowMs} ms: expected above 0`)
    this.#users = [...users]
    this.#windowMs = windowMs
  }

  /** The slots whose tags are known, ascending. */
  get slots(): number[] {
    return [...this.#tables.keys()].sort((a, b) => a - b)
  }

  /** Rolls the table to this time at once. Idempotent, O(users) for each slot that is new. */
  roll(nowMs: number, leadMs = 0): void {
    for (const _ of this.rolling(nowMs, leadMs));
  }

  /**
   * The same in steps of about 1 ms, for the caller to spread over its event loop. Slots that are out of the window go first;
   * a new one counts once it is whole, the nearest to now first. `leadMs` makes also those that will be in the window by then.
   */
  *rolling(nowMs: number, leadMs = 0): Generator<void, void, void> {
    const wanted = this.#slotsAround(nowMs, leadMs)
    for (const slot of this.#tables.keys()) if (!wanted.includes(slot)) this.#tables.delete(slot)
    for (const slot of wanted) {
      if (this.#tables.has(slot)) continue
      const table = new TagTable(slot, this.#users.length)
      for (let i = 0; i < this.#users.length; i++) {
        table.add(tagsOf(this.#users[i]!.tag, slot), i)
        if (i % USERS_AT_ONCE === USERS_AT_ONCE - 1) yield
      }
      this.#tables.set(slot, table)
    }
  }

  /** What this datagram is. Never throws, whatever the bytes are. */
  judge(datagram: Datagram, nowMs: number): Verdict {
    const { bytes } = datagram
    if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES) return { kind: 'silence', why: 'length' }
    const sender = this.#senderOf(bytes)
    if (sender === undefined) return { kind: 'silence', why: 'tag' }
    const { id: user, seal, untilMs } = sender.holder
    const silence = (why: Silence, detail?: string): Verdict => ({
      kind: 'silence',
      why,
      user,
      ...(detail !== undefined && { detail }),
    })

    const knock = open(bytes, seal)
    if ('why' in knock)
      return knock.why === 'seal' ? { kind: 'silence', why: 'seal' } : silence(knock.why, knock.detail)
    if (knock.user !== user) return silence('user', `names user ${formatId(knock.user)}`)
    if (slotOf(knock.timeMs) !== sender.slot)
      return silence('slot', `time of slot ${slotOf(knock.timeMs)} under a tag of slot ${sender.slot}`)
    if (!(Math.abs(nowMs - knock.timeMs) <= this.#windowMs)) return silence('window', distance(knock.timeMs, nowMs))
    if (untilMs !== undefined && nowMs >= untilMs) return silence('old-key')
    if (knock.instant) return silence('instant')
    return this.#requestOf(knock, datagram)
  }

  /** Whose tag bytes 0–7 are and of which slot, or undefined: for the kernel's own records of instant leases. */
  userOfTag(bytes: Uint8Array): { readonly user: UserId; readonly slot: number } | undefined {
    const sender = bytes.length < TAG_BYTES ? undefined : this.#senderOf(bytes)
    return sender && { user: sender.holder.id, slot: sender.slot }
  }

  #senderOf(bytes: Uint8Array): { holder: GateUser; slot: number } | undefined {
    for (const table of this.#tables.values()) {
      const holder = table.holderOf(bytes)
      if (holder !== undefined) return { holder: this.#users[holder]!, slot: table.slot }
    }
    return undefined
  }

  #requestOf(knock: Knock, datagram: Datagram): Verdict {
    return {
      kind: 'request',
      request: {
        protocol: 'spa',
        operation: knock.operation,
        user: knock.user,
        resource: knock.resource,
        address: knock.address ?? datagram.source,
        addressSigned: knock.address !== undefined,
        lifetimeSeconds: knock.lifetimeSeconds,
        replay: {
          user: knock.user,
          // A copy: the datagram may lie in a buffer that the next one overwrites.
          id: Uint8Array.from(datagram.bytes.subarray(TAG_BYTES, TAG_BYTES + NONCE_BYTES)),
          timeMs: knock.timeMs,
          expiresMs: knock.timeMs + this.#windowMs,
        },
      },
    }
  }

  /** Every slot that an acceptable datagram may carry, the nearest to now first. */
  #slotsAround(nowMs: number, leadMs: number): number[] {
    const first = Math.max(0, slotOf(nowMs - this.#windowMs))
    const last = slotOf(nowMs + leadMs + this.#windowMs)
    if (!Number.isFinite(last)) return []
    const slots: number[] = []
    for (let slot = first; slot <= last; slot++) slots.push(slot)
    const here = slotOf(nowMs)
    return slots.sort((a, b) => Math.abs(a - here) - Math.abs(b - here))
  }
}

function distance(timeMs: number, nowMs: number): string {
  return `time ${Math.round(Math.abs(nowMs - timeMs) / 1000)} s ${timeMs < nowMs ? 'behind' : 'ahead'}`
}
