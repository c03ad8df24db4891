/**
 * What the two configuration files mean, once read and checked. A superset of letmein's two files (docs/PROTOCOL.md,
 * "Configuration"): every option below that letmein does not have lives in a section or resource part of postern's own and
 * has a default that needs no line.
 */
import type { FwknopSettings } from '../gate/fwknop-stanza.js'
import type { ResourceId, UserId } from '../wire/ids.js'
import type { Hours } from './hours.js'

export type Protocol = 'tcp' | 'udp'

/** Inclusive. One port is `{first: 22, last: 22}`. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** Where knocks are heard. */
export interface ControlPorts {
  /** `any`: a knock is heard on whatever UDP port of this host it is sent to. Ascending, without doubles. */
  readonly udp: 'any' | readonly number[]
  /** letmein's TCP. */
  readonly tcp: readonly number[]
}

/** Whether a knock may, must or must not name the address to open for inside its sealed part. */
export type AddressPolicy = 'yes' | 'optional' | 'no'

export interface Resource {
  readonly id: ResourceId
  /** 1-based line of the definition in its file. */
  readonly line: number
  readonly name?: string
  readonly target:
    | { readonly kind: 'ports'; readonly ports: readonly PortRange[]; readonly protocols: readonly Protocol[] }
    | { readonly kind: 'jump'; readonly jumps: readonly Jump[] }
  /** undefined: every user with a key. */
  readonly users?: readonly UserId[]
  /** A lease's length where the knock names none. */
  readonly timeoutMs: number
  /** The resource itself says how long a lease is (`timeout` or `max-timeout`); else timeoutMs is what goes for all. */
  readonly saysTimeout: boolean
  /** No lease is given for longer than this at once. Never below timeoutMs. */
  readonly maxTimeoutMs: number
  /** The kernel itself opens it for a one-time token (docs/PROTOCOL.md, "Instant tokens"). */
  readonly instant: boolean
  /** The lease's end also ends the connections that it let in. */
  readonly cut: boolean
  /** How many connections one lease lets in; 0: no bound. */
  readonly connections: number
  /** How many leases may be live at once; 0: no bound but the set's size. */
  readonly maxLeases: number
  readonly requireAddress: AddressPolicy
  /** A lease is for all addresses that begin with as many bits as the one that it was opened for; undefined: for that one. */
  readonly prefix?: PrefixLengths
}

/** How many bits of an IPv4 and of an IPv6 address count. */
export interface PrefixLengths {
  readonly v4: number
  readonly v6: number
}

/** A jump of letmein's: while the lease lives, packets of that hook go on to the administrator's own chain. */
export interface Jump {
  readonly hook: 'input' | 'forward' | 'output'
  readonly chain: string
  /** False: the jump is for all traffic of the hook while the lease lives. */
  readonly matchSource: boolean
}

/** What [USERS] says of a user. */
export interface Person {
  readonly name?: string
  /** From this time on he may not knock, Unix ms; no lease of his outlives it. */
  readonly untilMs?: number
  /** When he may; undefined: always. No lease of his outlives them. */
  readonly hours?: readonly Hours[]
  /** He may open for addresses of these networks alone, as `ADDRESS/LENGTH`; undefined: for any. */
  readonly networks?: readonly string[]
}

/** A user who was taken out: his id is nobody else's, so that what the log says of it stays true. */
export interface Removed {
  /** Unix ms. */
  readonly atMs: number
  readonly name?: string
}

/** A key that a rotation left valid until this time, Unix ms. */
export interface OldKey {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly untilMs: number
}

export interface ServerConfig {
  readonly file: string
  /** lib/config/contents.ts, of all files that it was loaded from; undefined: it was read from a text. */
  readonly contents?: string
  readonly debug: boolean
  readonly letmein: {
    /** Whether letmein's clients are heard. Default: where [NFTABLES] names chain-input, as every letmeind.conf does. */
    readonly enabled: boolean
    /** Right-shaped datagrams a second, and at once, that go up to user space: from one source, and from all. */
    readonly rate: number
    readonly burst: number
    readonly rateAll: number
    readonly burstAll: number
    readonly ports: ControlPorts
    readonly controlTimeoutMs: number
    readonly errorPolicy: 'always' | 'basic-auth' | 'full-auth'
  }
  /** undefined: fwknop's clients are not heard. */
  readonly fwknop?: FwknopConfig
  readonly spa: {
    readonly enabled: boolean
    readonly realm: string
    /** Where clients reach this server, for enroll lines; undefined: not said. */
    readonly host?: string
    readonly windowMs: number
    readonly ports: ControlPorts['udp']
    readonly requireAddress: AddressPolicy
  }
  readonly firewall: {
    readonly mode: 'guard' | 'chain'
    /** guard mode: postern's own table, family inet. */
    readonly table: string
    /** chain mode: the administrator's table and chains. */
    readonly chain?: {
      readonly family: 'inet' | 'ip' | 'ip6'
      readonly table: string
      readonly input: string
      readonly forward?: string
      readonly output?: string
    }
    readonly closed: 'auto' | 'drop' | 'reject'
    /** The bit of the conntrack mark that says "a lease let this connection in". */
    readonly markBit: number
    /** Interfaces whose traffic is let be. */
    readonly trust: readonly string[]
    /** Further destination addresses to guard (routed containers), as CIDR text. */
    readonly guardForward: readonly string[]
    /** NFLOG groups: what carries a known tag, and the kernel's records of instant leases. */
    readonly heardGroup: number
    readonly recordGroup: number
    readonly nft: string
    /** The gate is on trial: at this monotonic time, ms, the kernel itself opens it again. Never said by a file (lib/daemon/trial.ts). */
    readonly trialEndsMs?: number
  }
  readonly log: {
    /** Of the daemon's lines: `json` is an object for each. */
    readonly format: 'text' | 'json'
  }
  readonly limits: {
    /** Live leases for each user; 0: no bound. */
    readonly leasesPerUser: number
    /** Datagrams a second and burst that one tag lets up to user space. */
    readonly tagRate: number
    readonly tagBurst: number
    /** Instant tokens that may be in the kernel at once; more are refused when the file is read. */
    readonly maxTokens: number
    /** Places of the replay window. */
    readonly replayEntries: number
  }
  readonly users: ReadonlyMap<UserId, Uint8Array>
  /** Of users who have a key of today as well. */
  readonly oldKeys: ReadonlyMap<UserId, readonly OldKey[]>
  readonly people: ReadonlyMap<UserId, Person>
  /** None of them is in `users` or `people`. */
  readonly removed: ReadonlyMap<UserId, Removed>
  readonly resources: ReadonlyMap<ResourceId, Resource>
  /** What deserves a word but refuses nothing. Full sentences with file and line. */
  readonly warnings: readonly string[]
}

/** What [FWKNOP] and the files that it names say. */
export interface FwknopConfig {
  /** access.conf, what it includes, and fwknopd.conf where one is named: whoever reads the configuration reads them all. */
  readonly files: readonly string[]
  /** The folders of %include_folder, which are listed. */
  readonly folders: readonly string[]
  /** Where fwknop's packets are heard. */
  readonly ports: ControlPorts['udp']
  /** Right-shaped datagrams a second, and at once, that go up to user space: from one source, and from all. */
  readonly rate: number
  readonly burst: number
  readonly rateAll: number
  readonly burstAll: number
  readonly settings: FwknopSettings
}

/** How a client knocks: postern's own datagram, letmein's exchange, the one and, where nothing opens, the other; fwknop's packet. */
export type KnockProtocol = 'spa' | 'letmein' | 'auto' | 'fwknop'

/** One server of a client's file; what it does not say, the rest of the file does. */
export interface ClientHost {
  /** What the commands call it. */
  readonly name: string
  /** 1-based line of its section. */
  readonly line: number
  /** Where it is knocked at; its name where the file says nothing else. */
  readonly address: string
  readonly port?: 'any' | number
  readonly realm?: string
  readonly user?: UserId
  /** 32 bytes. */
  readonly key?: Uint8Array
  readonly protocol?: KnockProtocol
  /** None: those of the rest of the file. */
  readonly resources: ReadonlyMap<ResourceId, Resource>
}

export interface ClientConfig {
  /** The file read; undefined: none was there (letmein: a missing client file is an empty one). */
  readonly file?: string
  readonly port: { readonly udp: 'any' | number; readonly protocols: readonly Protocol[] }
  /** [SPA] port, where an SPA knock goes to; undefined: `port.udp`. */
  readonly spaPort?: 'any' | number
  /** [CLIENT] protocol, or what the sections of the file say (docs/PROTOCOL.md, "Which protocol a client takes"). */
  readonly protocol: KnockProtocol
  readonly controlTimeoutMs: number
  readonly errorPolicy: 'always' | 'basic-auth' | 'full-auth'
  readonly defaultUser: UserId
  readonly realm: string
  /** Where fwknop's own settings are, where [FWKNOP] says something. */
  readonly fwknop: {
    /** undefined: ~/.fwknoprc. May begin with `~/`. */
    readonly rcFile?: string
    /** undefined: the one of the host that is knocked at. */
    readonly stanza?: string
  }
  readonly users: ReadonlyMap<UserId, Uint8Array>
  readonly resources: ReadonlyMap<ResourceId, Resource>
  /** By name, in small letters. */
  readonly hosts: ReadonlyMap<string, ClientHost>
  readonly warnings: readonly string[]
}
