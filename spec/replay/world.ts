/**
 * A server with its replay window, its disk and its clocks, on which anything may happen, and beside it a naive list of all
 * that was ever accepted. Every admission is held against the list.
 */
import { expect } from 'chai'
import type { ReplayId } from '../../lib/gate/verdict.js'
import { type Admission, openReplay, type Replay } from '../../lib/replay/replay.js'
import { type Fault, MemoryDisk, type MountedDisk } from './memory-disk.js'
import { BOOT, request, START_MS, WINDOW_MS } from './requests.js'

/** How far ahead of the clock the horizon is written: window, slot and lead. */
const AHEAD_MS = WINDOW_MS + 35_000
const FAULTY = ['write', 'create', 'link', 'remove', 'truncate', 'append', 'length', 'list', 'read']

export class World {
  readonly disk = new MemoryDisk()
  readonly accepted = new Set<string>()
  readonly requests: ReplayId[] = []
  wallMs = START_MS
  monoMs = 60_000
  process: MountedDisk
  replay: Replay
  #boot = Uint8Array.from(BOOT)
  #horizonMs = START_MS
  #canWrite = true
  #hearing = { wallMs: 0, monoMs: 0 }

  constructor() {
    this.#hear()
    this.process = this.disk.mount()
    this.replay = this.#open()
  }

  get now() {
    return { wallMs: this.wallMs, monoMs: this.monoMs }
  }

  /** One more request, of this many ms ago. */
  knock(user: number, agoMs: number): Admission {
    const next = request(this.requests.length, Math.max(0, this.wallMs - agoMs), user)
    this.requests.push(next)
    return this.admit(next)
  }

  /** Some earlier request once more, or a new one where there is none. */
  again(pick: number): void {
    const known = this.requests[pick % Math.max(1, this.requests.length)]
    if (known !== undefined) this.admit(known)
  }

  allAgain(): void {
    for (const known of this.requests) this.admit(known)
  }

  admit(known: ReplayId): Admission {
    const admission = this.replay.admit(known, this.now)
    if (admission === 'fresh') {
      const key = `${known.user} ${Buffer.from(known.id).toString('hex')}`
      expect(this.process.isKilled, 'accepted by a dead process').to.equal(false)
      expect(
        this.accepted.has(key),
        `accepted twice: ${key} of ${known.timeMs - START_MS} at ${this.wallMs - START_MS}`,
      ).to.equal(false)
      this.accepted.add(key)
    }
    if (this.process.isKilled) this.restart()
    return admission
  }

  /** Time on both clocks; the monitor keeps its horizon ahead of it where its disk lets it. */
  pass(ms: number): void {
    this.wallMs += ms
    this.monoMs += ms
    this.turnSlot(this.#canWrite)
  }

  stepWall(ms: number): void {
    this.wallMs = Math.max(0, this.wallMs + ms)
  }

  /** The monitor writes its horizon ahead; `false`: its disk is full. */
  turnSlot(canWrite = true): void {
    this.#canWrite = canWrite
    if (canWrite) this.#horizonMs = Math.max(this.#horizonMs, this.wallMs + AHEAD_MS)
    this.replay.setHorizon(this.#horizonMs)
  }

  /** kill -9 between two calls, and a listener anew. */
  restart(): void {
    this.process.isKilled = true
    this.process = this.disk.mount()
    this.replay = this.#open()
  }

  /** kill -9 before or after a system call to come. */
  killAt(callsAhead: number, after: boolean): void {
    this.process.killAt = { call: this.process.calls + callsAhead, after }
  }

  fail(fault: Fault, callsAhead: number, count: number): void {
    const from = this.process.calls + callsAhead
    this.process.fault = (call, operation) =>
      call >= from && call < from + count && FAULTY.includes(operation) ? fault : undefined
  }

  reboot(keepsDisk: boolean, wallMs: number): void {
    this.#boot = this.#boot.map((byte, i) => (i === 0 ? byte + 1 : byte))
    if (!keepsDisk) for (const name of [...this.disk.files.keys()]) this.disk.delete(name)
    this.wallMs = wallMs
    this.monoMs = 10_000
    this.#hear()
    this.restart()
  }

  /** Harm that a check can see: a changed byte, a missing file, a cut inside a record. */
  harm(kind: 'byte' | 'delete' | 'cut', pick: number): void {
    const names = [...this.disk.files.keys()].sort()
    const name = names[pick % Math.max(1, names.length)]
    const inode = name === undefined ? undefined : this.disk.files.get(name)
    if (inode === undefined || name === undefined) return
    const at = pick % Math.max(1, inode.bytes.length)
    if (kind === 'delete') {
      inode.names--
      this.disk.delete(name)
    } else if (kind === 'cut' && at % 64 !== 0) inode.bytes = Buffer.from(inode.bytes.subarray(0, at))
    else if (kind === 'byte' && inode.bytes.length > 0) inode.bytes[at]! ^= 1 + (pick % 255)
  }

  #hear(): void {
    this.#hearing = this.now
  }

  #open(): Replay {
    const untrustedBelowMs = this.#horizonMs
    this.#horizonMs = Math.max(this.#horizonMs, this.wallMs + AHEAD_MS)
    return openReplay({
      directory: this.process,
      bootId: this.#boot,
      now: this.now,
      segmentRecords: 8,
      settings: {
        replayEntries: 60,
        windowMs: WINDOW_MS,
        untrustedBelowMs,
        horizonMs: this.#horizonMs,
        hearing: this.#hearing,
      },
    })
  }
}
