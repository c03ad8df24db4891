/**
 * Leases that are there although [USERS] gives their user no such time any more: the file was changed, or the clock was set.
 * They are taken away; who may still come in knocks again.
 */
import { overlapping } from '../config/networks.js'
import type { ServerConfig } from '../config/types.js'
import type { RuleManager } from '../firewall/manager.js'
import type { Lease, LeaseRequest } from '../firewall/types.js'
import type { Now } from '../replay/clock.js'
import { reasonOf } from '../replay/error.js'
import { familyOf, type IpAddress } from '../wire/address.js'
import { idWords, userWords } from './called.js'
import { stepWatch } from './clock.js'
import type { Log } from './log.js'
import { describeOutcome } from './outcomes.js'
import { standingOf } from './standing.js'

/** Between the clock's look and the kernel's end of a lease that was cut to it. */
const SLACK_MS = 1000

type Outstayed = LeaseRequest & Required<Pick<LeaseRequest, 'user'>>

/** What takes those away of `leases`, whose addresses are as `status` shows them, prefixes too. Pure. */
export function outstayed(leases: readonly Lease[], { people }: ServerConfig, wallMs: number): Outstayed[] {
  return leases.flatMap(({ user, resource, address: text, remainingMs }): Outstayed[] => {
    const person = user === undefined ? undefined : people.get(user)
    if (user === undefined || person === undefined) return []
    const { networks, ...rest } = person
    const address: IpAddress = text.replace(/\/.*/, '')
    const standing = standingOf(rest, address, wallMs)
    // A lease for a prefix bears its first address: he may have knocked for any in it.
    const leased = text === address ? `${address}/${familyOf(address) === 4 ? 32 : 128}` : text
    const isElsewhere = networks !== undefined && !networks.some((network) => overlapping([leased, network]))
    if (!isElsewhere && standing.kind === 'welcome' && wallMs + remainingMs <= standing.untilMs + SLACK_MS) return []
    return [{ operation: 'revoke', user, resource, address, lifetimeMs: 0 }]
  })
}

/** Looks at a start, after a reload and where the clock was set: in between, each lease was cut to its user's time. */
export class OutstayedWatch {
  readonly #manager: Pick<RuleManager, 'leases' | 'perform'>
  readonly #parts: { now(): Now; readonly log: Pick<Log, 'info' | 'error'> }
  readonly #stepMs: (now: Now) => number
  #config: ServerConfig
  /** A look that did not come to its end. */
  #isOwed = false

  constructor(
    manager: Pick<RuleManager, 'leases' | 'perform'>,
    config: ServerConfig,
    parts: { now(): Now; readonly log: Pick<Log, 'info' | 'error'> },
  ) {
    this.#manager = manager
    this.#config = config
    this.#parts = parts
    this.#stepMs = stepWatch(parts.now())
    this.use(config)
  }

  /** By this configuration from here on, and at once. Never throws: what fails is done with a tick. */
  use(config: ServerConfig): void {
    this.#config = config
    this.#isOwed = false
    if (config.people.size === 0) return
    try {
      this.#revoke(outstayed(this.#manager.leases(), config, this.#parts.now().wallMs))
    } catch (error) {
      this.#failed(`leases could not be looked at for users whose time is over: ${reasonOf(error)}`)
    }
  }

  /** Now and then. */
  tick(): void {
    if (this.#stepMs(this.#parts.now()) !== 0 || this.#isOwed) this.use(this.#config)
  }

  #revoke(found: readonly Outstayed[]): void {
    const { people, resources } = this.#config
    // The administrator's own: a user's right to it is what has ended.
    const outcomes = this.#manager.perform(found.map(({ user: _, ...request }) => request))
    found.forEach(({ user, resource, address }, i) => {
      const whose = `${idWords(resource, resources.get(resource))} for ${address}, ${userWords(user, people.get(user))}`
      const lease = `${whose}, who may not have it so long any more`
      const outcome = outcomes[i]
      if (outcome?.kind === 'revoked') this.#parts.log.info(`revoked: ${lease}`)
      else if (outcome?.kind === 'refused') this.#failed(`not revoked: ${lease}: ${describeOutcome(outcome)}`)
    })
  }

  #failed(line: string): void {
    this.#isOwed = true
    this.#parts.log.error(`${line}; again soon`)
  }
}
