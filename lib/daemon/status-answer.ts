/** What `posternd status` is told by a daemon that runs. Pure. */
import type { ServerConfig } from '../config/types.js'
import type { Lease } from '../firewall/types.js'
import { formatId } from '../wire/ids.js'
import type { ControlAnswer } from './control.js'

/** A lease as it is told: with the names that the configuration has; a stanza of fwknop's has a title instead. */
export interface ToldLease extends Lease {
  readonly title?: string
  readonly userName?: string
  readonly resourceName?: string
}

/** What only the monitor knows. */
export interface Measured {
  readonly startedMs: number
  readonly nowMs: number
  readonly horizonMs: number
  /** Knocks that were made before are refused, Unix ms. */
  readonly hearingMs: number
  /** The same, where the replay journal is not trusted; 0: it is. */
  readonly untrustedBelowMs: number
  readonly listenerAnsweredMsAgo: number
  readonly listenerLagMs: number
  /** Of a gate on trial. */
  readonly trialLeftMs?: number
  /** The machine goes to sleep: no instant knock opens until it is said to be awake. */
  readonly isAsleep?: true
  readonly counters: Readonly<Record<string, number>>
}

/** What a running daemon says of itself. */
export interface DaemonStatus extends Measured {
  readonly mode: 'guard' | 'chain'
  readonly file: string
  /** Of what it was read from (lib/config/contents.ts): what the file says by now may be something else. */
  readonly contents?: string
  readonly users: number
  /** Of fwknop's access.conf. */
  readonly stanzas: number
  readonly resources: number
  /** What each is called: by its name, else by its id. */
  readonly resourceNames: readonly string[]
  readonly leases: readonly ToldLease[]
}

export function statusAnswer(config: ServerConfig, leases: readonly Lease[], measured: Measured): ControlAnswer {
  const { contents, file, firewall, fwknop, resources, users } = config
  const status: DaemonStatus = {
    ...measured,
    mode: firewall.mode,
    file,
    ...(contents !== undefined && { contents }),
    users: users.size,
    stanzas: fwknop?.settings.stanzas.length ?? 0,
    resources: resources.size,
    resourceNames: [...resources.values()].map(({ id, name }) => name ?? formatId(id)),
    leases: withNames(leases, config),
  }
  return { ok: true, ...status }
}

/** The leases with the names that go with them. */
export function withNames(
  leases: readonly Lease[],
  { fwknop, people, resources }: Pick<ServerConfig, 'fwknop' | 'people' | 'resources'>,
): ToldLease[] {
  const titles = new Map(fwknop?.settings.stanzas.map(({ user, title }) => [user, title]))
  return leases.map((lease) => {
    const { user, resource } = lease
    const told = {
      title: user === undefined ? undefined : titles.get(user),
      userName: user === undefined ? undefined : people.get(user)?.name,
      resourceName: resources.get(resource)?.name,
    }
    return { ...lease, ...present(told) }
  })
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without what is not there. */
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>
}
