/**
 * One resource at one address, from the first KNOCK to COMEIN. Specification: docs/PROTOCOL.md, "The letmein exchange".
 *
 * Each message is waited for as long as letmein does it (control-timeout), so a visit ends when letmein's would. Over UDP a
 * datagram may be lost; letmein sends nothing twice. Here a fresh KNOCK leaves from a fresh port meanwhile: it is an exchange
 * of its own, and the first COMEIN of any of them counts. Few and far between: letmeind has 8 places for one address, and
 * keeps each for 5 s where the CHALLENGE was lost.
 */
import { type ExchangeFailure, type ExchangeSettings, type ExchangeStep, LetmeinExchange } from './letmein-exchange.js'
import type { Dial, Line, LineFault } from './letmein-line.js'
import type { Destination } from './resolve.js'

/** A further KNOCK goes out after these shares of control-timeout, or of 5 s where that is longer; three at most. */
const PAUSES = [0.2, 0.3]
const LONGEST_BASE_MS = 5000
/** After an ICMP message a CHALLENGE may still come, of a posternd that hears where nothing is bound: within this share. */
const AFTER_ICMP = 0.05

export type VisitFailure =
  | ExchangeFailure
  | LineFault
  /** Nothing came in time. */
  | 'timeout'
  /** Given up by us, for another address was quicker. */
  | 'left'

export interface VisitOutcome {
  readonly end: 'comein' | VisitFailure
  /** The last step that was reached. */
  readonly step: 'connect' | 'KNOCK' | 'RESPONSE'
  readonly detail: string
  /** How many KNOCKs were sent. */
  readonly knocks: number
  readonly afterMs: number
  /** Full sentences. */
  readonly warnings: readonly string[]
}

export interface VisitSettings {
  readonly to: Destination
  /** The control port, for each KNOCK anew. */
  readonly port: () => number
  readonly dial: Dial
  /** UDP. */
  readonly isRepeated: boolean
  readonly exchange: ExchangeSettings
  readonly timeoutMs: number
}

/** One KNOCK and what comes of it. */
interface Attempt {
  readonly line: Line
  readonly startMs: number
  hasChallenge: boolean
}

export class Visit {
  readonly over: Promise<VisitOutcome>
  readonly #settings: VisitSettings
  readonly #startMs = performance.now()
  readonly #attempts = new Set<Attempt>()
  readonly #warnings = new Set<string>()
  #finish: (outcome: VisitOutcome) => void = () => {}
  #isOver = false
  #deadline: NodeJS.Timeout | undefined
  #next: NodeJS.Timeout | undefined
  #step: VisitOutcome['step'] = 'connect'
  #knocks = 0
  /** Since the first, or since the first CHALLENGE. */
  #repeated = 0
  /** What ended one attempt while another one is still promising. */
  #failure: { why: VisitFailure; detail: string } | undefined

  /** Begins. Throws RangeError where a field does not fit, and what node:crypto throws where it has no SHA-3. */
  constructor(settings: VisitSettings) {
    this.#settings = settings
    this.over = new Promise((resolve) => {
      this.#finish = resolve
    })
    this.#knock()
    this.#within(settings.timeoutMs)
  }

  /** Whether the server has shown that it is there, by a CHALLENGE. */
  get isAlive(): boolean {
    return this.#step === 'RESPONSE'
  }

  /** Ends it, if it is not over. */
  leave(): void {
    this.#end('left', 'given up')
  }

  #knock(): void {
    const { to, port, dial, exchange: settings, isRepeated, timeoutMs } = this.#settings
    const exchange = new LetmeinExchange(settings)
    const knock = exchange.first()
    const attempt: Attempt = {
      startMs: performance.now(),
      hasChallenge: false,
      line: dial(to, port(), {
        up: () => {
          if (this.#step === 'connect') this.#step = 'KNOCK'
          if (!isRepeated) this.#within(timeoutMs)
          this.#knocks++
          attempt.line.send(knock)
        },
        heard: (bytes) => this.#take(attempt, exchange.feed(bytes)),
        broken: (fault, detail, isFinal) => {
          if (isFinal) this.#fail(attempt, fault, detail)
          else this.#soonFail(attempt, fault, detail)
        },
      }),
    }
    this.#attempts.add(attempt)
    if (isRepeated) this.#knockAgainAfter(0)
  }

  /** The next KNOCK, if there is to be one, not before `leastMs`. */
  #knockAgainAfter(leastMs: number): void {
    clearTimeout(this.#next)
    const share = PAUSES[this.#repeated]
    if (share === undefined) return
    const pauseMs = Math.max(leastMs, share * Math.min(this.#settings.timeoutMs, LONGEST_BASE_MS))
    this.#next = setTimeout(() => {
      this.#repeated++
      this.#knock()
    }, pauseMs)
  }

  #take(attempt: Attempt, step: ExchangeStep): void {
    switch (step.kind) {
      case 'ignored':
        break
      case 'failed':
        this.#fail(attempt, step.why, step.detail)
        break
      case 'done':
        this.#warn(step.warnings)
        this.#end('comein', '')
        break
      case 'send':
        this.#warn(step.warnings)
        attempt.hasChallenge = true
        attempt.line.send(step.bytes)
        this.#hasChallenge(performance.now() - attempt.startMs)
        break
      default:
        step satisfies never
    }
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#warnings.add(warning)
  }

  /** The server is there, and at work: it gets its time, and is not disturbed before two round trips are over. */
  #hasChallenge(roundTripMs: number): void {
    const isFirst = this.#step !== 'RESPONSE'
    this.#step = 'RESPONSE'
    if (isFirst) {
      this.#repeated = 0
      this.#within(this.#settings.timeoutMs)
    }
    if (this.#settings.isRepeated) this.#knockAgainAfter(2 * roundTripMs)
  }

  #within(ms: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => {
      if (this.#failure) this.#end(this.#failure.why, this.#failure.detail)
      else this.#end('timeout', 'no answer')
    }, ms)
  }

  #soonFail(attempt: Attempt, why: VisitFailure, detail: string): void {
    setTimeout(() => {
      if (!this.#isOver && !attempt.hasChallenge) this.#fail(attempt, why, detail)
    }, AFTER_ICMP * this.#settings.timeoutMs)
  }

  /** An attempt has failed, and so has the visit, unless another attempt waits for its COMEIN. */
  #fail(attempt: Attempt, why: VisitFailure, detail: string): void {
    attempt.line.close()
    this.#attempts.delete(attempt)
    if ([...this.#attempts].some(({ hasChallenge }) => hasChallenge)) this.#failure ??= { why, detail }
    else this.#end(this.#failure?.why ?? why, this.#failure?.detail ?? detail)
  }

  #end(end: VisitOutcome['end'], detail: string): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#deadline)
    clearTimeout(this.#next)
    for (const { line } of this.#attempts) line.close()
    this.#finish({
      end,
      step: this.#step,
      detail,
      knocks: this.#knocks,
      afterMs: performance.now() - this.#startMs,
      warnings: [...this.#warnings],
    })
  }
}
