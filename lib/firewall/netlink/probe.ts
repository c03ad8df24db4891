/** Which of netfilter's parts that postern needs answer in this kernel, to say at the start which one is missing. */
import { FirewallError } from '../types.js'
import { Conversation } from './conversation.js'
import { CONNTRACK_STATISTICS, ERRNO, LOG_MESSAGE, NFT_MESSAGE } from './numbers.js'
import type { NetlinkSocket } from './socket.js'
import { MessageWriter } from './writer.js'

/** A group that nobody binds: the question is whether anybody answers. */
const UNUSED_GROUP = 0xffff

export interface KernelParts {
  readonly nfTables: boolean
  readonly nflog: boolean
  readonly conntrack: boolean
}

/** Asks each part one thing that changes nothing; modules are loaded by it. Throws FirewallError `permission`. */
export function probe(socket: NetlinkSocket): KernelParts {
  const conversation = new Conversation(socket)
  const writer = new MessageWriter()
  const answers = (type: number, resourceId: number): boolean => {
    const sequence = conversation.reserve(1)
    writer.reset()
    writer.begin(type, 0, sequence, 0, resourceId)
    writer.finish()
    const errno = conversation.ask(writer.written(), sequence)
    if (errno === ERRNO.EPERM && type !== LOG_MESSAGE.config) {
      throw new FirewallError('permission', 'netlink: expected CAP_NET_ADMIN (EPERM)')
    }
    // What the kernel says of a part that it does not have (nfnetlink_rcv_msg).
    return errno !== ERRNO.EINVAL && errno !== ERRNO.EOPNOTSUPP
  }
  return {
    nfTables: answers(NFT_MESSAGE.getGeneration, 0),
    nflog: answers(LOG_MESSAGE.config, UNUSED_GROUP),
    conntrack: answers(CONNTRACK_STATISTICS, 0),
  }
}
