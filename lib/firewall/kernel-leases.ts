/** The leases that the kernel has, as entries: the truth that `status` shows and a restart goes on with. */
import type { ServerConfig } from '../config/types.js'
import type { ResourceId } from '../wire/ids.js'
import type { Entry } from './book.js'
import { ownerOf } from './comments.js'
import type { Installation } from './installation.js'
import { addressOfKey, parseSetName } from './names.js'
import type { Kernel, SetElement, SetRef } from './types.js'

/** A lease, and whether connections were counted against it: how many is known to the kernel alone. */
export interface Found {
  readonly entry: Entry
  readonly counted: boolean
}

export class KernelLeases {
  readonly #kernel: Kernel
  readonly #installation: Installation

  constructor(kernel: Kernel, installation: Installation) {
    this.#kernel = kernel
    this.#installation = installation
  }

  /** The leases of this configuration's resources. */
  live({ resources }: ServerConfig, nowMs: number): Entry[] {
    return [...resources.keys()].flatMap((id) =>
      (['lease4', 'lease6'] as const).flatMap((kind) => {
        const set = this.#installation.set(kind, id)
        return set === undefined ? [] : this.#entries(set, id, nowMs)
      }),
    )
  }

  /** All leases in sets that are ours by name, whatever configuration made them. */
  found(config: ServerConfig, nowMs: number): Found[] {
    const entries: Entry[] = []
    const counted = new Set<string>()
    for (const { where, sets } of this.#installation.present(config))
      for (const set of sets) {
        const { kind, resource } = parseSetName(set.set, where) ?? {}
        if (resource === undefined) continue
        if (kind === 'lease4' || kind === 'lease6') entries.push(...this.#entries(set, resource, nowMs))
        if (kind === 'conn4' || kind === 'conn6')
          for (const { key } of this.#kernel.list(set)) counted.add(`${resource} ${addressOfKey(key)}`)
      }
    return entries.map((entry) => ({ entry, counted: counted.has(`${entry.resource} ${entry.address}`) }))
  }

  #entries(set: SetRef, resource: ResourceId, nowMs: number): Entry[] {
    return this.#kernel.list(set).map((element) => entryOf(element, resource, nowMs))
  }
}

/** What an element of a lease set says. */
export function entryOf(
  { key, timeoutMs, expiresMs, comment }: SetElement,
  resource: ResourceId,
  nowMs: number,
): Entry {
  // Only an element that somebody else put in has no end.
  const leftMs = expiresMs ?? Number.MAX_SAFE_INTEGER - nowMs
  const { user } = ownerOf(comment)
  return {
    resource,
    address: addressOfKey(key),
    lengthMs: Math.max(timeoutMs ?? leftMs, leftMs),
    endMs: nowMs + leftMs,
    ...(user === undefined ? {} : { user }),
    ...(comment === undefined ? {} : { comment }),
  }
}
