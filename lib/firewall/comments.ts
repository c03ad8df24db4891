/**
 * What comments of leases and rules say: the one place that makes them and reads them back (docs/ARCHITECTURE.md, "Chain
 * mode"). Pure.
 */
import type { Resource } from '../config/types.js'
import { familyOf, type IpAddress } from '../wire/address.js'
import { formatId, parseId, type ResourceId, type UserId } from '../wire/ids.js'
import { rangeText } from './nft-text.js'

/**
 * A lease's comment: who opened what. No user: the administrator himself. `host`: among an administrator's sets it also says
 * the address as letmein's comments do, to be found by whoever looks for that.
 */
export function leaseComment(
  user: UserId | undefined,
  resource: ResourceId,
  address: IpAddress,
  where: 'own' | 'host',
): string {
  const who = `user=${user === undefined ? 'admin' : formatId(user)} resource=${formatId(resource)}`
  return where === 'own' ? who : `${who} ${familyOf(address) === 4 ? '::ffff:' : ''}${address}/LETMEIN`
}

/** Whose lease a comment says it is. No comment: the kernel's own (an instant one whose record is not here yet). */
export function ownerOf(comment: string | undefined): { user?: UserId; by: 'user' | 'admin' | 'kernel' } {
  const [, who] = /^user=(admin|[0-9A-F]{8}) /.exec(comment ?? '') ?? []
  if (who === undefined) return { by: 'kernel' }
  return who === 'admin' ? { by: 'admin' } : { by: 'user', user: parseId(who)! }
}

/** nft takes 128 characters; the list of ports is what can be long. */
const LONGEST_PORTS = 64

/**
 * The comment of a rule in an administrator's chain, by which it is found again: letmein's own, but for the address, which is
 * one of many here. letmein: `ADDRESS/port/22/TCP/accept/LETMEIN`.
 */
export function portComment({ id, target }: Resource): string {
  if (target.kind !== 'ports') throw new RangeError(`resource ${formatId(id)}: expected one with ports`)
  let ports = target.ports.map(rangeText).join(',')
  if (ports.length > LONGEST_PORTS) ports = ports.slice(0, ports.lastIndexOf(',', LONGEST_PORTS - 3)).concat(',...')
  return `postern/${formatId(id)}/port/${ports}/${target.protocols.join(',').toUpperCase()}/accept/LETMEIN`
}

/** The same of a jump. letmein: `ADDRESS/00000004/CHAIN/LETMEIN`. Needs no quotes. */
export function jumpComment(resource: ResourceId, chain: string): string {
  return `postern/${formatId(resource)}/${chain}/LETMEIN`
}

/** Whether a rule of an administrator's chain is ours. */
export function isRuleComment(comment: string | undefined): boolean {
  return comment !== undefined && /^postern\/.+\/LETMEIN$/.test(comment)
}

/** Whether letmein's firewall daemon made it: it empties its chains when it ends, but not when it is killed. */
export function isLetmeinComment(comment: string | undefined): comment is string {
  return comment?.endsWith('/LETMEIN') === true && !isRuleComment(comment)
}
