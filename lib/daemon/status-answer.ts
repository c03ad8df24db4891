/** What `posternd status` is told by a daemon that runs. Pure. */
import type { ServerConfig } from '../config/types.js'
import { stanzaOf } from '../firewall/fwknop-users.js'
import type { Lease } from '../firewall/types.js'
import type { ControlAnswer } from './control.js'

/** A lease as it is told, with the names of the configuration. A stanza of fwknop's has a title, for its number says nothing to anybody. */
export interface ToldLease extends Lease {
  readonly title?: string
  readonly userName?: string
  readonly resourceName?: string
}

/** `measured`: what only the monitor knows. */
export function statusAnswer(
  config: ServerConfig,
  leases: readonly Lease[],
  measured: {
    readonly startedMs: number
    readonly horizonMs: number
    readonly listenerAnsweredMsAgo: number
    readonly counters: Readonly<Record<string, number>>
  },
): ControlAnswer {
  const { file, firewall, fwknop, resources, users } = config
  return {
    ok: true,
    ...measured,
    mode: firewall.mode,
    file,
    users: users.size,
    stanzas: fwknop?.settings.stanzas.length ?? 0,
    resources: resources.size,
    leases: leases.map((lease) => withTitle(lease, config)),
  }
}

/** The lease with the names of its user and resource, and its stanza's title, where it is one's. */
export function withTitle(lease: Lease, config: ServerConfig): ToldLease {
  const stanza = stanzaOf(lease.user, config)
  const userName = lease.user === undefined ? undefined : config.people.get(lease.user)?.name
  const resourceName = config.resources.get(lease.resource)?.name
  return {
    ...lease,
    ...(stanza === undefined ? {} : { title: stanza.title }),
    ...(userName === undefined ? {} : { userName }),
    ...(resourceName === undefined ? {} : { resourceName }),
  }
}
