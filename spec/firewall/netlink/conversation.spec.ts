import { expect } from 'chai'
import { Conversation } from '../../../lib/firewall/netlink/conversation.js'
import type { NetlinkSocket } from '../../../lib/firewall/netlink/socket.js'
import { MessageWriter } from '../../../lib/firewall/netlink/writer.js'
import { FirewallError } from '../../../lib/firewall/types.js'

/** A kernel that answers each write with what `answer` says, after what was waiting. */
function scripted(answer: (count: number) => Uint8Array[], waiting: Uint8Array[] = []) {
  const queue = [...waiting]
  let writes = 0
  const socket: NetlinkSocket = {
    write: () => {
      queue.push(...answer(++writes))
    },
    read: () => queue.shift(),
  }
  return { conversation: new Conversation(socket), queue, writes: () => writes }
}

function message(type: number, sequence: number, errno?: number, flags = 0): Uint8Array {
  const writer = new MessageWriter()
  writer.begin(type, flags, sequence, 0)
  writer.finish()
  const bytes = writer.written()
  // An error's number stands where other messages have their family.
  if (errno !== undefined) new DataView(bytes.buffer).setInt32(16, -errno, true)
  return bytes
}

const ERROR = 2
const DONE = 3
const ITEM = 0xa0c

describe('a conversation', () => {
  it('gives back the first refusal of a transaction, though later messages were taken', () => {
    const { conversation, queue } = scripted(() => [
      message(ERROR, 3, 2),
      message(ERROR, 4, 17),
      message(ERROR, 5, 0),
      message(ERROR, 99, 1),
    ])
    expect(conversation.transact(new Uint8Array(1), 1, 5)).to.deep.equal({ errno: 2, sequence: 3 })
    expect(queue).to.have.length(1)
  })

  it('takes a transaction that only its first message answers for refused', () => {
    const { conversation } = scripted(() => [message(ERROR, 1, 1)])
    expect(conversation.transact(new Uint8Array(1), 1, 5)).to.deep.equal({ errno: 1, sequence: 1 })
  })

  it('throws where the kernel says nothing, for it is not known what happened', () => {
    const { conversation } = scripted(() => [])
    expect(() => conversation.transact(new Uint8Array(1), 1, 5)).to.throw(FirewallError, 'answer was lost')
    expect(() => conversation.ask(new Uint8Array(1), 1)).to.throw(FirewallError, 'answer was lost')
  })

  it('throws away what the program before it left in the socket', () => {
    const { conversation } = scripted(() => [message(ERROR, 1, 0)], [message(ERROR, 1, 23), message(ITEM, 1)])
    expect(conversation.transact(new Uint8Array(1), 1, 1)).to.equal(undefined)
  })

  it('begins a list anew that was interrupted, and forgets what came till then', () => {
    const { conversation, writes } = scripted((count) =>
      count < 3
        ? [message(ITEM, count), message(ITEM, count, undefined, 0x10), message(DONE, count, 0)]
        : [message(ITEM, count), message(ITEM, count), message(DONE, count, 0)],
    )
    let seen = 0
    const errno = conversation.list(
      () => new Uint8Array(1),
      () => {
        seen = 0
      },
      () => seen++,
    )
    expect({ errno, seen, writes: writes() }).to.deep.equal({ errno: 0, seen: 2, writes: 3 })
  })

  it('gives up on a list that never comes whole', () => {
    const { conversation } = scripted((count) => [message(DONE, count, 0, 0x10)])
    const nothing = () => {}
    expect(conversation.list(() => new Uint8Array(1), nothing, nothing)).to.equal(11)
  })

  it('says why a list is refused', () => {
    const { conversation } = scripted((count) => [message(ERROR, count, 2)])
    const nothing = () => {}
    expect(conversation.list(() => new Uint8Array(1), nothing, nothing)).to.equal(2)
  })

  it('hands out sequence numbers that do not meet, and begins again before they are used up', () => {
    const { conversation } = scripted(() => [])
    expect([conversation.reserve(5), conversation.reserve(1), conversation.reserve(1)]).to.deep.equal([1, 6, 7])
    conversation.reserve(0x7ffe_0000)
    expect(conversation.reserve(0x2_0000)).to.equal(1)
  })
})
