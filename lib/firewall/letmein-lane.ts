/** What of letmein's lane (nftables/letmein.nft) is put in by us at its start: users with a key, whose datagrams come up. */
import type { ServerConfig } from '../config/types.js'
import { formatId, type UserId } from '../wire/ids.js'
import type { Installation, Plan } from './installation.js'
import { FirewallError, type Kernel } from './types.js'

const USERS = 'letmein_users'
/** So many elements in one transaction: a socket's send buffer is the bound. */
const ELEMENTS_AT_ONCE = 2000
const ELEMENTS_A_LINE = 500

export class LetmeinLane {
  readonly #kernel: Kernel
  readonly #installation: Installation
  readonly #log: (line: string) => void
  /** Whether the kernel has the users of the configuration that is loaded. */
  #isFilled = false

  constructor(kernel: Kernel, installation: Installation, log: (line: string) => void) {
    this.#kernel = kernel
    this.#installation = installation
    this.#log = log
  }

  /**
   * The change from one configuration's users to another's, as text for the transaction that loads the plan. What cannot be
   * told apart from here (the set is made anew, an earlier run left it) is put in by `fill`.
   */
  reloadText({ own }: Plan, before: ServerConfig, after: ServerConfig): string {
    this.#isFilled &&= own.kept.has(USERS)
    if (!this.#isFilled) return ''
    const place = `inet ${own.table.table} ${USERS}`
    const gone = [...before.users.keys()].filter((user) => !after.users.has(user))
    const come = [...after.users.keys()].filter((user) => !before.users.has(user))
    // Added first, so that it is no error where somebody else took it out.
    return [elementLines('add', place, [...gone, ...come]), elementLines('delete', place, gone)].join('')
  }

  /** Brings the set of users to this configuration's. Where that fails it is said, and the next call does the whole. */
  fill(config: ServerConfig): void {
    try {
      this.#fill(config)
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error
      this.#log(`letmein: its users could not be put into the kernel: ${error.message}`)
    }
  }

  /** The same where somebody else changed the ruleset: what is in the set is looked at again. */
  refill(config: ServerConfig): void {
    this.#isFilled = false
    this.fill(config)
  }

  #fill({ users }: ServerConfig): void {
    const set = this.#installation.ownSet(USERS)
    if (set === undefined || this.#isFilled) return
    const present = new Set(this.#kernel.list(set).map(({ key }) => userOfKey(key)))
    const missing = [...users.keys()].filter((user) => !present.has(user)).map(userKey)
    const strange = [...present].filter((user) => !users.has(user)).map(userKey)
    for (const keys of parts(missing))
      this.#kernel.apply([{ kind: 'add', to: set, elements: keys.map((key) => ({ key })) }])
    for (const keys of parts(strange)) this.#kernel.apply([{ kind: 'remove', from: set, keys }])
    this.#isFilled = true
  }
}

function elementLines(verb: 'add' | 'delete', place: string, users: readonly UserId[]): string {
  return parts(users, ELEMENTS_A_LINE)
    .map((some) => `${verb} element ${place} { ${some.map((user) => `0x${formatId(user)}`).join(', ')} }\n`)
    .join('')
}

/** A user as the datagram's bytes 8–11. */
function userKey(user: UserId): Uint8Array {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setUint32(0, user)
  return key
}

function userOfKey(key: Uint8Array): UserId {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0)
}

function parts<T>(items: readonly T[], most = ELEMENTS_AT_ONCE): T[][] {
  const slices: T[][] = []
  for (let i = 0; i < items.length; i += most) slices.push(items.slice(i, i + most))
  return slices
}
