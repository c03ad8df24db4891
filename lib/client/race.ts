/**
 * Which address of a host takes a connection first, while a knock is on its way there. Happy eyeballs (RFC 8305): IPv6 goes
 * first, then the families in turn, each next address 250 ms later, or as soon as the one before is seen not to work. But
 * here "refused" and "no answer" mean little, for the knock may not have been heard yet: so an address is tried again and
 * again, at growing intervals, each time with a SYN of its own; the kernel would send its second one after a second. An
 * attempt is not given up for the next one: on a slow line the older one may still win. Clock and sockets are handed in.
 */
import type { Family } from '../wire/address.js'
import type { Destination } from './resolve.js'

/** RFC 8305, "Connection Attempt Delay": between the beginnings of two addresses. */
export const NEXT_ADDRESS_MS = 250
/** RFC 8305, "Resolution Delay": how long IPv4 addresses wait for a look-up of IPv6. */
export const RESOLUTION_MS = 50
export const FIRST_PAUSE_MS = 4
export const LONGEST_PAUSE_MS = 500
/** An attempt older than this is given up: it bounds how many there are at once. */
export const ATTEMPT_MS = 5000
/**
 * An address that refuses a SYN which left so long after its first refusal has had the knock and does not open: the next
 * one need not wait. It is tried all the same.
 */
const STILL_SHUT_MS = 20

/** What an attempt tells, once. Never called before the dialling has returned, nor after it was given up. */
export interface AttemptEvents<Connection> {
  readonly stands: (connection: Connection) => void
  /** The error's code: ECONNREFUSED and the like. */
  readonly failed: (code: string) => void
}

/** Begins one attempt; calling what it returns gives it up. */
export type DialTcp<Connection> = (to: Destination, events: AttemptEvents<Connection>) => () => void

export interface Timers {
  readonly nowMs: () => number
  /** Calling what it returns cancels it. */
  readonly after: (ms: number, act: () => void) => () => void
}

/**
 * The monotonic clock. On a busy machine a timer is late, and a connection that stands may wait behind it: what the network has
 * to tell goes first.
 */
export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after: (ms, act) => {
    let second: NodeJS.Immediate | undefined
    const first = setTimeout(() => {
      second = setImmediate(act)
    }, ms)
    return () => {
      clearTimeout(first)
      clearImmediate(second)
    }
  },
}

/** What an address came to: the code of its last error, or undefined where nothing came back. */
export interface Tried {
  readonly to: Destination
  readonly code?: string
}

/** One address that has begun. */
interface Lane {
  readonly to: Destination
  pauseMs: number
  cancelNext: () => void
  firstRefusedMs?: number
  code?: string
  hasSteppedAside: boolean
}

export class Race<Connection> {
  /** Never settles where no attempt succeeds. */
  readonly won: Promise<{ readonly connection: Connection; readonly to: Destination }>
  readonly #dial: DialTcp<Connection>
  readonly #timers: Timers
  readonly #lanes: Lane[] = []
  readonly #waiting: Record<Family, Destination[]> = { 4: [], 6: [] }
  readonly #attempts = new Set<() => void>()
  #isIpv6Pending = false
  #cancelStage: (() => void) | undefined
  #isOver = false
  #finish: (won: { connection: Connection; to: Destination }) => void = () => {}

  constructor(dial: DialTcp<Connection>, timers: Timers = systemTimers) {
    this.#dial = dial
    this.#timers = timers
    this.won = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  /** What the addresses that were tried have come to so far. */
  get tried(): Tried[] {
    return this.#lanes.map(({ to, code }) => (code === undefined ? { to } : { to, code }))
  }

  /** A look-up of this family has begun: addresses of the other wait a moment for it. */
  expect(family: Family): void {
    if (family === 6) this.#isIpv6Pending = true
  }

  /** It has come to nothing. */
  expectNone(family: Family): void {
    if (family !== 6) return
    this.#isIpv6Pending = false
    this.#beginFirst()
  }

  /** These addresses have just been knocked at: they take part from now on, and those that do already are tried at once. */
  follow(found: readonly Destination[]): void {
    if (this.#isOver) return
    const isKnown = ({ address }: Destination) =>
      [...this.#lanes.map(({ to }) => to), ...this.#waiting[4], ...this.#waiting[6]].some(
        (to) => to.address === address,
      )
    for (const lane of this.#lanes) if (found.some(({ address }) => address === lane.to.address)) this.#restart(lane)
    for (const to of found) if (!isKnown(to)) this.#waiting[to.family].push(to)
    if (found.some(({ family }) => family === 6)) this.#isIpv6Pending = false
    if (this.#lanes.length === 0) this.#beginFirst()
    else if (this.#cancelStage === undefined) this.#beginNext()
  }

  /** A further knock has just left: every address is tried at once, and at short intervals again. */
  again(): void {
    for (const lane of this.#lanes) this.#restart(lane)
  }

  /** Ends all attempts but the one that has won. */
  stop(): void {
    this.#isOver = true
    this.#cancelStage?.()
    for (const lane of this.#lanes) lane.cancelNext()
    for (const giveUp of this.#attempts) giveUp()
    this.#attempts.clear()
  }

  #beginFirst(): void {
    if (this.#isOver || this.#lanes.length > 0) return
    this.#cancelStage?.()
    if (this.#isIpv6Pending) {
      this.#cancelStage = this.#timers.after(RESOLUTION_MS, () => this.#beginNext())
    } else this.#beginNext()
  }

  /** The families in turn, IPv6 first. */
  #beginNext(): void {
    this.#cancelStage?.()
    this.#cancelStage = undefined
    const turn: Family = this.#lanes.at(-1)?.to.family === 6 ? 4 : 6
    const to = this.#waiting[turn].shift() ?? this.#waiting[turn === 6 ? 4 : 6].shift()
    if (to === undefined) return
    const lane: Lane = { to, pauseMs: FIRST_PAUSE_MS, cancelNext: () => {}, hasSteppedAside: false }
    this.#lanes.push(lane)
    this.#cancelStage = this.#timers.after(NEXT_ADDRESS_MS, () => this.#beginNext())
    this.#attempt(lane)
  }

  #restart(lane: Lane): void {
    if (this.#isOver) return
    lane.cancelNext()
    lane.pauseMs = FIRST_PAUSE_MS
    this.#attempt(lane)
  }

  #attempt(lane: Lane): void {
    const begunMs = this.#timers.nowMs()
    const end = () => {
      this.#attempts.delete(giveUp)
      cancelTimeout()
    }
    const hangUp = this.#dial(lane.to, {
      stands: (connection) => {
        end()
        this.stop()
        this.#finish({ connection, to: lane.to })
      },
      failed: (code) => {
        end()
        this.#failed(lane, code, begunMs)
      },
    })
    const giveUp = () => {
      end()
      hangUp()
    }
    const cancelTimeout = this.#timers.after(ATTEMPT_MS, giveUp)
    this.#attempts.add(giveUp)
    lane.cancelNext = this.#timers.after(lane.pauseMs, () => this.#attempt(lane))
    lane.pauseMs = Math.min(lane.pauseMs * 2, LONGEST_PAUSE_MS)
  }

  #failed(lane: Lane, code: string, begunMs: number): void {
    lane.code = code
    if (code === 'ECONNREFUSED') {
      lane.firstRefusedMs ??= this.#timers.nowMs()
      if (begunMs - lane.firstRefusedMs < STILL_SHUT_MS) return
    }
    if (lane.hasSteppedAside) return
    lane.hasSteppedAside = true
    this.#beginNext()
  }
}
