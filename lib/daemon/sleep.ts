/**
 * Between the word that the machine goes to sleep and the word that it is awake no instant token is in the kernel: its timeouts
 * stand still in a suspend, so what was sent and recorded meanwhile would open at the wake-up, before anybody has noticed.
 */
import type { RuleManager } from '../firewall/manager.js'
import { reasonOf } from '../replay/error.js'
import { LONGEST_AWAKE_MS, type Mark } from './asleep-mark.js'
import type { Log } from './log.js'
import type { Roller } from './roller.js'

export interface SleepParts {
  mark(): Mark
  readonly manager: Pick<RuleManager, 'dropTokens'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
}

export class Sleep {
  readonly #parts: SleepParts
  #isAsleep = false
  /** The tokens that were in the kernel are out. */
  #isEmptied = false

  constructor(parts: SleepParts) {
    this.#parts = parts
  }

  /** No token may go into the kernel, whether we were told or not. */
  holdsTokens(): boolean {
    return this.#parts.mark() === 'asleep'
  }

  get isAsleep(): boolean {
    return this.#isAsleep
  }

  /**
   * Follows the mark. `woke`: it has just gone. Called when we are told, and with each tick, for a word may be lost. Throws
   * FirewallError where tokens could not be taken out: the next call tries again.
   */
  look(roller: Pick<Roller, 'tokensWereLost'>): 'unchanged' | 'woke' {
    const { mark, manager, log } = this.#parts
    const now = mark()
    if (now === 'asleep') {
      if (!this.#isAsleep)
        log.info('the machine goes to sleep: no instant token is in the kernel until it is awake (posternd wake)')
      this.#isAsleep = true
      if (this.#isEmptied) return 'unchanged'
      roller.tokensWereLost()
      manager.dropTokens()
      this.#isEmptied = true
      return 'unchanged'
    }
    if (!this.#isAsleep) return 'unchanged'
    this.#isAsleep = this.#isEmptied = false
    if (now === 'overdue')
      log.warn(
        `nobody said within ${LONGEST_AWAKE_MS / 60_000} min that the machine is awake (posternd wake): instant knocks go on`,
      )
    else log.info('the machine is awake: knocks made before now are refused, instant ones open again within a minute')
    return 'woke'
  }

  /** `look` for a tick: what the firewall refuses is said, and tried again. */
  follow(roller: Pick<Roller, 'tokensWereLost'>): 'unchanged' | 'woke' {
    try {
      return this.look(roller)
    } catch (error) {
      this.#parts.log.error(`instant tokens could not be taken out before the sleep, again soon: ${reasonOf(error)}`)
      return 'unchanged'
    }
  }
}
