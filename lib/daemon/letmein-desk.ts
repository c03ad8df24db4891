/**
 * The listener's letmein side: what the gate says becomes an answer, an exchange that waits for the monitor, or silence. UDP
 * messages come from the kernel as knocks do; TCP has its own connections.
 */
import { Challenges } from '../gate/challenges.js'
import { LetmeinGate, type LetmeinVerdict, type SaltMemory } from '../gate/letmein.js'
import { LetmeinConnection } from '../gate/letmein-connection.js'
import type { Answer, Datagram, Path, Request } from '../gate/verdict.js'
import type { Now } from '../replay/clock.js'
import { reasonOf } from '../replay/error.js'
import type { UserId } from '../wire/ids.js'
import { type AuthOf, isLetmein } from '../wire/letmein.js'
import type { Answers } from './answers.js'
import { LetmeinTcp } from './letmein-tcp.js'
import type { Reason } from './reasons.js'
import type { Whose } from './refusals.js'
import type { ListenerLetmein, ListenerResource } from './settings.js'
import { Waiting } from './waiting.js'

export interface LetmeinDeskParts {
  now(): Now
  random(length: number): Uint8Array
  readonly authOf: AuthOf
  /** Opens the salts' file. Throws ReplayError. */
  openSalts(): SaltMemory & { retain(users: Iterable<UserId>): void }
  /** Answers over UDP; an exchange lasts so long, ms. */
  openAnswers(lastsMs: number): Answers
  onError(why: string): void
  /** Replay, policy, channel: why it went no further, or undefined where the monitor was asked. */
  submit(request: Request, source: string, sequence: number): Reason | undefined
  /** Counts it, and says so where it was a user of ours. */
  refused(why: Reason, source: string, whose?: Whose, detail?: string): void
}

/** What the replay window refuses gets no byte: it is somebody's recording. */
const GETS_AN_ANSWER: ReadonlySet<Reason> = new Set([
  'resource',
  'not-allowed',
  'address-required',
  'address-refused',
  'busy',
])

export class LetmeinDesk {
  readonly #parts: LetmeinDeskParts
  readonly #tcp: LetmeinTcp
  readonly #waiting = new Waiting()
  #salts: ReturnType<LetmeinDeskParts['openSalts']> | undefined
  #challenges: Challenges | undefined
  #gate: LetmeinGate | undefined
  #answers: Answers | undefined
  #controlTimeoutMs = 0

  constructor(parts: LetmeinDeskParts) {
    this.#parts = parts
    this.#tcp = new LetmeinTcp({
      now: parts.now,
      onError: parts.onError,
      begin: (path) => new LetmeinConnection(this.#gate!, path),
      judged: (verdict, path) => this.#judged(verdict, path),
    })
  }

  /** Settings for what follows; undefined: letmein is off. */
  use(settings: ListenerLetmein | undefined, resources: readonly ListenerResource[]): void {
    if (settings === undefined) {
      this.#gate = undefined
      this.#tcp.listen([], this.#controlTimeoutMs)
      return
    }
    try {
      this.#salts ??= this.#parts.openSalts()
    } catch (error) {
      this.#parts.onError(`letmein is off: ${reasonOf(error)}`)
      return
    }
    if (settings.controlTimeoutMs !== this.#controlTimeoutMs) {
      this.#controlTimeoutMs = settings.controlTimeoutMs
      this.#challenges = new Challenges(this.#parts.random(32), settings.controlTimeoutMs)
      this.#answers = this.#parts.openAnswers(2 * settings.controlTimeoutMs)
    }
    const { users } = settings
    this.#salts.retain(new Set(users.map(({ id }) => id)))
    const { random, authOf } = this.#parts
    const parts = { challenges: this.#challenges!, salts: this.#salts, random, authOf }
    this.#gate = new LetmeinGate({ users, resources, errorPolicy: settings.errorPolicy }, parts)
    this.#tcp.listen(settings.tcpPorts, settings.controlTimeoutMs)
  }

  /** Whether this datagram, which came in by that interface, is letmein's to judge; if so it has been. */
  hear(heard: Datagram, inputInterface?: number): boolean {
    if (this.#gate === undefined || !isLetmein(heard.bytes)) return false
    const datagram = inputInterface === undefined ? heard : { ...heard, inputInterface }
    const verdict = this.#gate.judge(datagram, this.#parts.now())
    this.#judged(verdict, datagram)
    if (verdict.kind === 'reply') this.#answers!.send(datagram, verdict.bytes, verdict.isLast)
    return true
  }

  /** What the monitor did with the request of that number. */
  result(sequence: number, isDone: boolean): void {
    const answer = this.#waiting.take(sequence, this.#parts.now().monoMs)
    if (answer !== undefined) this.#answer(answer, isDone ? answer.comein : answer.goaway)
  }

  /** True where an answer will follow by itself. */
  #judged(verdict: LetmeinVerdict, path: Path): boolean {
    switch (verdict.kind) {
      case 'silence':
      case 'reply':
        if (verdict.kind === 'silence' || verdict.why !== undefined) {
          const { user } = verdict
          const whose = user === undefined ? undefined : ({ protocol: 'letmein', user } as const)
          this.#parts.refused(verdict.why!, path.source, whose, verdict.detail)
        }
        return false
      case 'request':
        return this.#submit(verdict.request)
      default:
        return verdict satisfies never
    }
  }

  #submit(request: Request): boolean {
    const answer = request.answer!
    const { source } = answer.path
    const sequence = this.#waiting.add(answer, this.#parts.now().monoMs, this.#controlTimeoutMs)
    const why = this.#parts.submit(request, source, sequence)
    if (why === undefined) return true
    this.#waiting.take(sequence, 0)
    if (!GETS_AN_ANSWER.has(why)) return false
    this.#answer(answer, answer.goaway)
    return true
  }

  #answer(answer: Answer, bytes: Uint8Array): void {
    if (answer.path.transport === 'tcp') this.#tcp.answer(answer, bytes)
    else this.#answers?.send(answer.path, bytes, true)
  }
}
