/**
 * Keeps leases open: one process, one timer, any number of hosts. What a knock is, is its charge's own affair; what is to be
 * said goes to `tell`. Specification: docs/OPERATIONS.md, "Keepalive".
 */
import { type Rhythm, Schedule } from './keepalive-schedule.js'
import { jumpWatch } from './network-signs.js'

/** What came of one knock. */
export type Attempt =
  /** `warnings`: full sentences, each told once. */
  | { readonly kind: 'done'; readonly warnings: readonly string[] }
  /** There was nothing to do: no connection whose lease were to be prolonged. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'failed'; readonly why: string }

/** One host, and what is kept open there. */
export interface Charge {
  /** What it is in words; the same one after the file was read again. */
  readonly key: string
  readonly rhythm: Rhythm
  /** Knocks. Never rejects. `isNew`: this machine may be somebody else to the host than it was. */
  readonly attempt: (isNew: boolean) => Promise<Attempt>
  /** This machine's addresses towards the host, as text; empty where that is not known. Never rejects. */
  readonly route: () => Promise<string>
}

export type News =
  /** Told once, until it is `mended`. */
  | { readonly kind: 'failed'; readonly charge: Charge; readonly why: string }
  | { readonly kind: 'mended'; readonly charge: Charge; readonly afterMs: number }
  | { readonly kind: 'warning'; readonly charge: Charge; readonly text: string }
  /** Nothing can be reached: what fails meanwhile is not told. */
  | { readonly kind: 'offline' }
  /** `why`: the network changed, or the clock jumped by so many ms (a suspend, mostly). Everything is knocked at again. */
  | { readonly kind: 'moved'; readonly why: 'network' | number }

export interface KeepaliveOutside {
  readonly monoMs: () => number
  readonly wallMs: () => number
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Calls once, later; what it gives back takes that back. */
  readonly timer: (ms: number, act: () => void) => () => void
  /** `networkPrint`. */
  readonly network: () => string
}

/** How often signs of another network are looked for. It is the only rhythm that a process at rest has. */
export const LOOK_MS = 2000

interface Kept {
  charge: Charge
  readonly schedule: Schedule
  running: number
  /** Counts the disturbances: what was begun before the last one tells nothing about now. */
  age: number
  isNew: boolean
  failedSinceMs: number | undefined
  isFailureTold: boolean
  route: string
}

/** More in one turn, as a hundred hosts at the start, would only leave garbage at once, and a higher peak of memory. */
const MOST_AT_ONCE = 4
const BREATH_MS = 10

export class Keepalive {
  readonly #outside: KeepaliveOutside
  readonly #tell: (news: News) => void
  readonly #jump: () => number
  readonly #told = new Set<string>()
  #kept = new Map<string, Kept>()
  #network: string
  #isOfflineTold = false
  #lookMs: number
  #turn = 0
  #takeBack: () => void = () => {}
  #isOver = false

  constructor(outside: KeepaliveOutside, tell: (news: News) => void) {
    this.#outside = outside
    this.#tell = tell
    this.#jump = jumpWatch(outside.wallMs, outside.monoMs)
    this.#network = outside.network()
    this.#lookMs = outside.monoMs() + LOOK_MS
  }

  /** Keeps these from now on, and no others. What was kept before goes on as it was; what is new is knocked at now. */
  keep(charges: readonly Charge[]): void {
    const before = this.#kept
    this.#kept = new Map(charges.map((charge) => [charge.key, this.#begin(charge, before.get(charge.key))]))
    this.#act()
  }

  /** Knocks no more. Leases run out in their time. */
  stop(): void {
    this.#isOver = true
    this.#takeBack()
  }

  #begin(charge: Charge, before: Kept | undefined): Kept {
    const { leastMs, mostMs } = charge.rhythm
    if (before?.charge.rhythm.leastMs === leastMs && before.charge.rhythm.mostMs === mostMs) {
      before.charge = charge
      return before
    }
    const schedule = new Schedule(charge.rhythm, this.#outside.random, this.#outside.monoMs())
    return {
      charge,
      schedule,
      running: 0,
      age: 0,
      isNew: true,
      failedSinceMs: undefined,
      isFailureTold: false,
      route: '',
    }
  }

  /** All that is due now; then the timer for what is due next. */
  #act(): void {
    this.#takeBack()
    if (this.#isOver) return
    const nowMs = this.#outside.monoMs()
    if (nowMs >= this.#lookMs) this.#look(nowMs)
    const isDue = ({ schedule, running, isNew }: Kept) => schedule.dueMs <= nowMs && running < (isNew ? 2 : 1)
    const due = [...this.#kept.values()].filter(isDue)
    for (const kept of due.slice(0, MOST_AT_ONCE)) void this.#attempt(kept)
    if (due.length > MOST_AT_ONCE) {
      this.#takeBack = this.#outside.timer(BREATH_MS, () => this.#act())
      return
    }
    const waiting = [...this.#kept.values()].filter(({ running }) => running === 0)
    const nextMs = Math.min(this.#lookMs, ...waiting.map(({ schedule }) => schedule.dueMs))
    this.#takeBack = this.#outside.timer(Math.max(0, Math.ceil(nextMs - nowMs)), () => this.#act())
  }

  async #attempt(kept: Kept): Promise<void> {
    const { age, isNew, charge } = kept
    kept.running++
    kept.isNew = false
    const attempt = await charge.attempt(isNew)
    kept.running--
    if (this.#isOver || this.#kept.get(charge.key) !== kept) return
    if (kept.age === age) this.#judge(kept, attempt)
    this.#act()
  }

  #judge(kept: Kept, attempt: Attempt): void {
    const nowMs = this.#outside.monoMs()
    const { charge, schedule } = kept
    if (attempt.kind === 'failed') {
      schedule.failed(nowMs)
      kept.failedSinceMs ??= nowMs
      this.#tellFailure(kept, attempt.why)
      return
    }
    schedule.done(nowMs)
    if (kept.isFailureTold) this.#tell({ kind: 'mended', charge, afterMs: nowMs - kept.failedSinceMs! })
    kept.isFailureTold = false
    kept.failedSinceMs = undefined
    for (const text of attempt.kind === 'done' ? attempt.warnings : []) {
      // A time or a duration in it makes it no other warning.
      const once = `${charge.key}\n${text.replaceAll(/\d+/g, '')}`
      if (this.#told.has(once)) continue
      this.#told.add(once)
      this.#tell({ kind: 'warning', charge, text })
    }
  }

  #tellFailure(kept: Kept, why: string): void {
    if (this.#outside.network() === '') {
      if (!this.#isOfflineTold) this.#tell({ kind: 'offline' })
      this.#isOfflineTold = true
    } else if (!kept.isFailureTold) {
      kept.isFailureTold = true
      this.#tell({ kind: 'failed', charge: kept.charge, why })
    }
  }

  #look(nowMs: number): void {
    this.#lookMs = nowMs + LOOK_MS
    const network = this.#outside.network()
    const jumped = this.#jump()
    const hasMoved = network !== this.#network && network !== ''
    this.#network = network
    if (hasMoved || (jumped !== 0 && network !== '')) {
      this.#isOfflineTold = false
      for (const kept of this.#kept.values()) this.#disturb(kept, nowMs)
      this.#tell({ kind: 'moved', why: jumped === 0 ? 'network' : jumped })
    } else void this.#lookAtRoute(nowMs)
  }

  #disturb(kept: Kept, nowMs: number): void {
    kept.age++
    kept.isNew = true
    kept.schedule.disturbed(nowMs)
  }

  /** Another route alone changes no address of this machine: one host at a time is asked after. */
  async #lookAtRoute(nowMs: number): Promise<void> {
    const all = [...this.#kept.values()]
    const kept = all[this.#turn++ % Math.max(1, all.length)]
    if (kept === undefined) return
    const { age, route: before } = kept
    const route = await kept.charge.route()
    if (this.#isOver || kept.age !== age) return
    kept.route = route
    if (before === '' || route === '' || route === before) return
    this.#disturb(kept, nowMs)
    this.#tell({ kind: 'moved', why: 'network' })
    this.#act()
  }
}
