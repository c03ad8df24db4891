/**
 * What the kernel tells a member of NFNLGRP_NFTABLES: who changed what in the ruleset. An element that times out, and what
 * rules do to sets, are not told. Events get lost where the receiver is slow: they are a hint, the ruleset is the truth.
 */
import { Attributes, familyOf, type Message, messagesOf } from './message.js'
import { CHAIN, ELEMENTS, GENERATION, NFT_MESSAGE, RULE, SET, TABLE } from './numbers.js'

export type RulesetEvent =
  | {
      readonly kind: 'table' | 'chain' | 'rule' | 'set' | 'elements'
      readonly change: 'made' | 'deleted'
      readonly family: number
      readonly table: string
      /** The chain's (a rule's chain's) or set's (elements' set's) name; a table has none beside its own. */
      readonly name?: string
      /** The kernel's number for it; elements have none. */
      readonly handle?: bigint
      /** The netlink port that asked for it: a socket's, not a process's, though often the same number. */
      readonly portid: number
    }
  /** The end of a transaction, and which process it was. */
  | {
      readonly kind: 'generation'
      readonly id: number
      readonly pid: number
      readonly program: string
      readonly portid: number
    }

type Thing = 'table' | 'chain' | 'rule' | 'set' | 'elements'
type Change = 'made' | 'deleted'

/** Message type → what it is about; attribute numbers of table, name and handle. */
const THINGS: ReadonlyMap<number, readonly [Thing, Change, table: number, name: number, handle: number]> = new Map([
  [NFT_MESSAGE.newTable, ['table', 'made', TABLE.name, 0, TABLE.handle]],
  [NFT_MESSAGE.deleteTable, ['table', 'deleted', TABLE.name, 0, TABLE.handle]],
  [NFT_MESSAGE.newChain, ['chain', 'made', CHAIN.table, CHAIN.name, CHAIN.handle]],
  [NFT_MESSAGE.deleteChain, ['chain', 'deleted', CHAIN.table, CHAIN.name, CHAIN.handle]],
  [NFT_MESSAGE.newRule, ['rule', 'made', RULE.table, RULE.chain, RULE.handle]],
  [NFT_MESSAGE.deleteRule, ['rule', 'deleted', RULE.table, RULE.chain, RULE.handle]],
  [NFT_MESSAGE.newSet, ['set', 'made', SET.table, SET.name, SET.handle]],
  [NFT_MESSAGE.deleteSet, ['set', 'deleted', SET.table, SET.name, SET.handle]],
  [NFT_MESSAGE.newElement, ['elements', 'made', ELEMENTS.table, ELEMENTS.set, 0]],
  [NFT_MESSAGE.deleteElement, ['elements', 'deleted', ELEMENTS.table, ELEMENTS.set, 0]],
])

/** The events in one datagram, in order; other kinds are left out. Never throws. */
export function decodeEvents(bytes: Uint8Array): RulesetEvent[] {
  const events: RulesetEvent[] = []
  const fields = new Attributes()
  for (const message of messagesOf(bytes)) {
    const event = eventOf(message, fields.readMessage(message))
    if (event !== undefined) events.push(event)
  }
  return events
}

function eventOf(message: Message, fields: Attributes): RulesetEvent | undefined {
  const { portid } = message
  if (message.type === NFT_MESSAGE.newGeneration) {
    const id = fields.be32(GENERATION.id)
    if (id === undefined) return undefined
    return {
      kind: 'generation',
      id,
      pid: fields.be32(GENERATION.pid) ?? 0,
      program: fields.text(GENERATION.program) ?? '',
      portid,
    }
  }
  const thing = THINGS.get(message.type)
  if (thing === undefined) return undefined
  const [kind, change, tableType, nameType, handleType] = thing
  const table = fields.text(tableType)
  if (table === undefined) return undefined
  const name = nameType === 0 ? undefined : fields.text(nameType)
  const handle = handleType === 0 ? undefined : fields.handle(handleType)
  return {
    kind,
    change,
    family: familyOf(message),
    table,
    ...(name === undefined ? undefined : { name }),
    ...(handle === undefined ? undefined : { handle }),
    portid,
  }
}
