/**
 * The kernel's numbers, in one place (linux/netlink.h, linux/netfilter/nfnetlink.h, nf_tables.h, nfnetlink_log.h,
 * nfnetlink_conntrack.h). Only what is used.
 */

export const MESSAGE = { error: 2, done: 3, batchBegin: 0x10, batchEnd: 0x11 } as const

export const FLAG = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  /** In a dump's answer: the ruleset changed meanwhile, what came is not one state. */
  dumpInterrupted: 0x10,
  dump: 0x300,
  create: 0x400,
} as const

/** In an attribute's type: it holds attributes. */
export const NESTED = 0x8000
export const TYPE_MASK = 0x3fff

export const SUBSYSTEM = { conntrack: 1, log: 4, nfTables: 10 } as const

const NFT = SUBSYSTEM.nfTables << 8
export const NFT_MESSAGE = {
  newTable: NFT | 0,
  getTable: NFT | 1,
  deleteTable: NFT | 2,
  newChain: NFT | 3,
  getChain: NFT | 4,
  deleteChain: NFT | 5,
  newRule: NFT | 6,
  getRule: NFT | 7,
  deleteRule: NFT | 8,
  newSet: NFT | 9,
  getSet: NFT | 10,
  deleteSet: NFT | 11,
  newElement: NFT | 12,
  getElement: NFT | 13,
  deleteElement: NFT | 14,
  newGeneration: NFT | 15,
  getGeneration: NFT | 16,
} as const

export const TABLE = { name: 1, flags: 2, handle: 4, userdata: 6 } as const
export const TABLE_DORMANT = 0x1
export const CHAIN = { table: 1, handle: 2, name: 3, hook: 4, policy: 5 } as const
export const HOOK = { number: 1, priority: 2 } as const
export const RULE = { table: 1, chain: 2, handle: 3 } as const
export const SET = { table: 1, name: 2, flags: 3, handle: 16 } as const
export const SET_ANONYMOUS = 0x1
export const ELEMENTS = { table: 1, set: 2, list: 3 } as const
export const LIST_ITEM = 1
export const ELEMENT = { key: 1, timeout: 4, expiration: 5, userdata: 6 } as const
export const DATA_VALUE = 1
/** In user data (type, length, bytes): a comment, as text that ends in NUL. The same for elements and tables. */
export const USERDATA_COMMENT = 0
export const GENERATION = { id: 1, pid: 2, program: 3 } as const

export const LOG_MESSAGE = { packet: (SUBSYSTEM.log << 8) | 0, config: (SUBSYSTEM.log << 8) | 1 } as const
export const LOG_CONFIG = { command: 1, mode: 2, bufferBytes: 3, timeout: 4, threshold: 5 } as const
export const LOG_BIND = 1
export const LOG_COPY_PACKET = 2
export const LOG = { mark: 2, inputInterface: 4, payload: 9, prefix: 10 } as const

export const CONNTRACK_STATISTICS = (SUBSYSTEM.conntrack << 8) | 5

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ENFILE: 23,
  ERESTART: 85,
  EOPNOTSUPP: 95,
} as const

const FAMILY_NAMES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
}

/** The family's word in nft's language. */
export function familyName(family: number): string {
  return FAMILY_NAMES[family] ?? `family ${family}`
}
