/**
 * The listener's fwknop side: what no tag of SPA's and no shape of letmein's was for is held against the stanzas of
 * access.conf. One packet may ask for several resources, which stand or fall together.
 */
import { FwknopGate } from '../gate/fwknop.js'
import type { Datagram, FwknopWhy, Request } from '../gate/verdict.js'
import type { Now } from '../replay/clock.js'
import type { UserId } from '../wire/ids.js'
import { WIDEST_WINDOW_MS } from './past.js'
import type { Reason } from './reasons.js'
import type { Whose } from './refusals.js'
import type { ListenerFwknop } from './settings.js'

export interface FwknopDeskParts {
  now(): Now
  /** Replay, policy, channel for all that one packet asks for. */
  submit(requests: readonly Request[], source: string): void
  /** Counts it, and says so where it showed a key of ours. */
  refused(why: Reason, source: string, whose?: Whose, detail?: string): void
}

/** What has one of these is no packet of fwknop's at all, so it is not fwknop's to count. */
const NOT_OURS: ReadonlySet<FwknopWhy> = new Set(['length', 'alphabet', 'prefix'])

export class FwknopDesk {
  readonly #parts: FwknopDeskParts
  #gate: FwknopGate | undefined

  constructor(parts: FwknopDeskParts) {
    this.#parts = parts
  }

  /** Settings for what follows; undefined: fwknop is off. */
  use(settings: ListenerFwknop | undefined): void {
    this.#gate = settings && new FwknopGate({ ...settings, resources: new Map(settings.resources) })
  }

  /** Whether this datagram is fwknop's to judge; if so it has been. */
  hear(datagram: Datagram): boolean {
    if (this.#gate === undefined) return false
    const { wallMs } = this.#parts.now()
    const verdict = this.#gate.judge(datagram, wallMs)
    switch (verdict.kind) {
      case 'silence':
        if (NOT_OURS.has(verdict.why)) return false
        this.#refused(verdict.why, datagram, verdict.user, verdict.detail)
        return true
      case 'requests': {
        const { user, replay } = verdict.requests[0]!
        const aheadMs = replay.timeMs - wallMs
        // The horizon is not written as far ahead as an age of an hour reaches (past.ts).
        if (aheadMs > WIDEST_WINDOW_MS) this.#refused('age', datagram, user, `${Math.round(aheadMs / 1000)} s ahead`)
        else this.#parts.submit(verdict.requests, datagram.source)
        return true
      }
      default:
        return verdict satisfies never
    }
  }

  #refused(why: FwknopWhy, { source }: Datagram, user: UserId | undefined, detail: string | undefined): void {
    const whose = user === undefined ? undefined : ({ protocol: 'fwknop', user } as const)
    this.#parts.refused(`fwknop-${why}`, source, whose, detail)
  }
}
