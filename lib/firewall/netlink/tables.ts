/**
 * What of tables, chains, sets and rules the kernel lists, as values. Pure; never throws on what it reads.
 */
import type { TableShape } from '../types.js'
import { commentOf } from './elements.js'
import { Attributes, familyOf, type Message } from './message.js'
import { CHAIN, HOOK, RULE, SET, SET_ANONYMOUS, TABLE, TABLE_DORMANT } from './numbers.js'

export interface BaseChain {
  readonly family: number
  readonly table: string
  readonly chain: string
  /** NF_INET_PRE_ROUTING 0, LOCAL_IN 1, FORWARD 2, LOCAL_OUT 3, POST_ROUTING 4. */
  readonly hook: number
  readonly priority: number
  readonly policy: 'accept' | 'drop'
}

/** A table's handle and comment, and whether its hooks are off. */
export function readTable(message: Message): Pick<TableShape, 'handle' | 'comment' | 'dormant'> | undefined {
  const fields = new Attributes().readMessage(message)
  const handle = fields.handle(TABLE.handle)
  if (handle === undefined) return undefined
  const userdata = fields.view(TABLE.userdata)
  const comment = userdata && commentOf(userdata)
  const dormant = ((fields.be32(TABLE.flags) ?? 0) & TABLE_DORMANT) !== 0
  return { handle, ...(comment === undefined ? {} : { comment }), ...(dormant ? { dormant } : {}) }
}

/** The name of a chain of this table. */
export function readChainName(message: Message, family: number, table: string): string | undefined {
  const fields = new Attributes().readMessage(message)
  return familyOf(message) === family && fields.text(CHAIN.table) === table ? fields.text(CHAIN.name) : undefined
}

/** A chain that hangs at a hook; undefined for others. */
export function readBaseChain(message: Message): BaseChain | undefined {
  const fields = new Attributes().readMessage(message)
  const table = fields.text(CHAIN.table)
  const chain = fields.text(CHAIN.name)
  if (table === undefined || chain === undefined || !fields.has(CHAIN.hook)) return undefined
  const policy = fields.be32(CHAIN.policy) === 0 ? 'drop' : 'accept'
  const hook = fields.nested(CHAIN.hook, new Attributes())
  const number = hook.be32(HOOK.number)
  if (number === undefined) return undefined
  return {
    family: familyOf(message),
    table,
    chain,
    hook: number,
    priority: (hook.be32(HOOK.priority) ?? 0) | 0,
    policy,
  }
}

/** The name of a set or map of this table; those that the kernel named for a rule (`{ 22, 80 }`) belong to the rule. */
export function readSetName(message: Message, family: number, table: string): string | undefined {
  const fields = new Attributes().readMessage(message)
  if (familyOf(message) !== family || fields.text(SET.table) !== table) return undefined
  return ((fields.be32(SET.flags) ?? 0) & SET_ANONYMOUS) === 0 ? fields.text(SET.name) : undefined
}

/** The handle of a rule of this table. */
export function readRuleHandle(message: Message, family: number, table: string): bigint | undefined {
  const fields = new Attributes().readMessage(message)
  return familyOf(message) === family && fields.text(RULE.table) === table ? fields.handle(RULE.handle) : undefined
}
