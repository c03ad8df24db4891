/**
 * A host over many boots: the monitor's horizon on a disk, the listener's journal on a tmpfs, both clocks, and beside them a naive
 * memory of all that was ever accepted, and of each slot whose tokens were ever in the kernel. Each admission is held against it.
 */
import { expect } from 'chai'
import { Ending } from '../../lib/daemon/ending.js'
import type { Frame } from '../../lib/daemon/frames.js'
import { openHorizon } from '../../lib/daemon/past.js'
import type { ReplayId } from '../../lib/gate/verdict.js'
import type { Horizon } from '../../lib/replay/horizon.js'
import { type Admission, openReplay, type Replay } from '../../lib/replay/replay.js'
import { horizonFor, tokenSlots } from '../../lib/slots/schedule.js'
import { slotOf } from '../../lib/wire/spa-keys.js'
import { MemoryDisk, type MountedDisk } from '../replay/memory-disk.js'
import { BOOT, request, START_MS, WINDOW_MS } from '../replay/requests.js'

type Config = Parameters<typeof openHorizon>[2]
const CONFIG = { spa: { windowMs: WINDOW_MS } } as unknown as Config

interface Run {
  readonly disk: MountedDisk
  readonly horizon: Horizon
  readonly hearing: { readonly wallMs: number; readonly monoMs: number }
  /** What the next listener is told to distrust, Unix ms. */
  untrustedBelowMs: number
  journal: MountedDisk
  replay: Replay
}

export class Boots {
  readonly state = new MemoryDisk()
  tmpfs = new MemoryDisk()
  readonly accepted = new Set<string>()
  readonly requests: ReplayId[] = []
  readonly #tokens = new Set<number>()
  wallMs = START_MS
  monoMs = 60_000
  run: Run | undefined
  #boot = 0
  #isDiskFull = false

  constructor() {
    this.start()
  }

  get now() {
    return { wallMs: this.wallMs, monoMs: this.monoMs }
  }

  /** One more request, of so many ms ago. */
  knock(user: number, agoMs: number): Admission | undefined {
    const next = request(this.requests.length, Math.max(0, this.wallMs - agoMs), user)
    this.requests.push(next)
    return this.admit(next)
  }

  again(pick: number): void {
    const known = this.requests[pick % Math.max(1, this.requests.length)]
    if (known !== undefined) this.admit(known)
  }

  allAgain(): void {
    for (const known of this.requests) this.admit(known)
  }

  admit(known: ReplayId): Admission | undefined {
    const { run } = this
    if (run === undefined) return undefined
    const admission = run.replay.admit(known, this.now)
    if (admission === 'fresh') {
      const key = `${known.user} ${Buffer.from(known.id).toString('hex')}`
      const when = `of ${known.timeMs - START_MS} at ${this.wallMs - START_MS} in boot ${this.#boot}`
      expect(this.accepted.has(key), `accepted twice: ${when}`).to.equal(false)
      this.accepted.add(key)
    }
    if (run.journal.isKilled) this.listenAnew()
    return admission
  }

  pass(ms: number): void {
    this.wallMs += ms
    this.monoMs += ms
    this.#roll()
  }

  /** `posternd run`, where it does not run. */
  start(): void {
    if (this.run !== undefined) return
    const disk = this.#mountState()
    let horizon: Horizon
    try {
      horizon = openHorizon(disk, this.wallMs, CONFIG).horizon
    } catch {
      return
    }
    const untrustedBelowMs = horizon.horizonMs
    const journal = this.tmpfs.mount()
    const hearing = this.now
    this.#writeAhead(horizon)
    const replay = this.#listen(journal, { horizon, hearing, untrustedBelowMs })
    this.run = { disk, horizon, hearing, untrustedBelowMs, journal, replay }
    this.#roll()
  }

  /** The listener is killed, and another one greeted. */
  listenAnew(): void {
    const { run } = this
    if (run === undefined) return
    run.journal.isKilled = true
    run.untrustedBelowMs = run.horizon.horizonMs
    run.journal = this.tmpfs.mount()
    run.replay = this.#listen(run.journal, run)
  }

  /** kill -9 of all of it. */
  kill(): void {
    if (this.run === undefined) return
    this.run.journal.isKilled = true
    this.run.disk.isKilled = true
    this.run = undefined
  }

  /**
   * SIGTERM. Its answer may be lost; knocks and recordings come in between; the monitor may be killed ahead of any of its calls, or after.
   * True: it ended by itself.
   */
  stop({ isAnswerLost = false, picks = [], killAt }: Stop = {}): boolean {
    const { run } = this
    if (run === undefined) return false
    let isOver = false
    let giveUp = (): unknown => undefined
    const frames: Frame[] = []
    const ending = new Ending({
      horizon: run.horizon,
      now: () => this.now,
      log: { warn: () => {} },
      monitor: { endListening: () => frames.push({ kind: 'ended', acceptedMs: run.replay.end() ?? 0 }) > 0 },
      later: (run) => {
        giveUp = run
      },
    })
    ending.begin(() => {
      isOver = true
    })
    for (const pick of picks) {
      this.again(pick)
      this.knock(2, -(pick % WINDOW_MS))
    }
    if (killAt !== undefined) run.disk.killAt = { call: run.disk.calls + killAt.calls, after: killAt.after }
    if (isAnswerLost) giveUp()
    else ending.heard(frames)
    const wasKilled = run.disk.isKilled
    expect(isOver).to.equal(true)
    this.kill()
    return !wasKilled
  }

  /** The machine goes down in order, or its power is cut: then so many of the unsynced names are kept. It runs again at `wallMs`. */
  reboot(wallMs: number, power?: { readonly namesKept: number; readonly unsynced: 'lost' | 'kept' | 'zeros' }): void {
    this.kill()
    if (power === undefined) this.state.syncNames()
    else this.state.cutPower(Math.min(power.namesKept, this.state.unsyncedNames), power.unsynced)
    this.tmpfs = new MemoryDisk()
    this.#boot++
    this.wallMs = wallMs
    this.monoMs = 10_000
  }

  /** The monitor's disk takes no more, or does again. */
  fill(isFull: boolean): void {
    this.#isDiskFull = isFull
    const fault = isFull ? 'enospc' : undefined
    if (this.run !== undefined) this.run.disk.fault = (_call, name) => (name === 'write' ? fault : undefined)
  }

  #mountState(): MountedDisk {
    const disk = this.state.mount()
    if (this.#isDiskFull) disk.fault = (_call, name) => (name === 'write' ? 'enospc' : undefined)
    return disk
  }

  #listen(journal: MountedDisk, run: Pick<Run, 'horizon' | 'hearing' | 'untrustedBelowMs'>): Replay {
    const { horizon, hearing, untrustedBelowMs } = run
    return openReplay({
      directory: journal,
      bootId: BOOT.map((byte, i) => (i === 0 ? this.#boot % 256 : byte)),
      now: this.now,
      segmentRecords: 8,
      settings: { replayEntries: 60, windowMs: WINDOW_MS, untrustedBelowMs, horizonMs: horizon.horizonMs, hearing },
    })
  }

  #writeAhead(horizon: Horizon): void {
    try {
      horizon.advance(Math.max(horizon.horizonMs, horizonFor(this.wallMs, WINDOW_MS)), horizon.tokensSlot)
    } catch {
      // The disk is full: said each second, and nothing above the last one is accepted.
    }
  }

  #roll(): void {
    const { run } = this
    if (run === undefined) return
    const { horizon } = run
    this.#writeAhead(horizon)
    run.replay.setHorizon(horizon.horizonMs)
    const installedUpTo = Math.max(horizon.tokensSlot, slotOf(this.wallMs))
    const moment = { nowMs: this.wallMs, windowMs: WINDOW_MS, horizonMs: horizon.horizonMs, installedUpTo }
    const due = tokenSlots(moment)
    if (due.length === 0) return
    try {
      horizon.advance(horizon.horizonMs, due.at(-1)!.slot)
    } catch {
      return
    }
    for (const { slot } of due) {
      expect(this.#tokens.has(slot), `tokens of slot ${slot} twice`).to.equal(false)
      this.#tokens.add(slot)
    }
  }
}

export interface Stop {
  /** The listener was killed, or is too slow. */
  readonly isAnswerLost?: boolean
  /** Requests that come once more between its last word and its end, and how far ahead the clocks of others are who knock then. */
  readonly picks?: readonly number[]
  /** The monitor is killed so many calls from here, before the call's work or behind it. */
  readonly killAt?: { readonly calls: number; readonly after: boolean }
}
