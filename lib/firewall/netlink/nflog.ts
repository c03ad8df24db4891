/**
 * NFLOG: copies of packets that a rule's `log group N` sends to whoever bound that group (linux/netfilter/nfnetlink_log.h).
 * Binding needs CAP_NET_ADMIN, reading needs nothing: the monitor binds, the listener reads the same descriptor.
 */
import { FirewallError } from '../types.js'
import { Attributes, errnoOf, messagesOf, resourceIdOf } from './message.js'
import { ERRNO, LOG, LOG_BIND, LOG_CONFIG, LOG_COPY_PACKET, LOG_MESSAGE, MESSAGE } from './numbers.js'
import { refusalError } from './refusals.js'
import type { NetlinkSocket } from './socket.js'
import { MessageWriter } from './writer.js'

/** Larger than any datagram that is a knock. */
const COPY_BYTES = 1024
/** The kernel hands each packet on at once: without this it collects them, 351 ms in the median. */
const QUEUE_THRESHOLD = 1
const READS_A_QUESTION = 64
const MOST_QUESTIONS = 4096

/** One copied packet. */
export interface NflogPacket {
  readonly group: number
  /** What the rule said with `log prefix`; empty where it said nothing. */
  readonly prefix: string
  /** From the IP header on, at most as long as was asked for. In place: gone with the next read of the descriptor. */
  readonly payload: Uint8Array
  /** The index of the interface it came in by. */
  readonly inputInterface?: number
  readonly mark?: number
}

/** The message that binds a group: whole packets up to `copyBytes`, each at once. */
export function encodeBind(
  writer: MessageWriter,
  sequence: number,
  group: number,
  copyBytes: number = COPY_BYTES,
): void {
  writer.begin(LOG_MESSAGE.config, 0, sequence, 0, group)
  writer.byte(LOG_CONFIG.command, LOG_BIND)
  const mode = new Uint8Array(6)
  new DataView(mode.buffer).setUint32(0, copyBytes)
  mode[4] = LOG_COPY_PACKET
  writer.raw(LOG_CONFIG.mode, mode)
  writer.be32(LOG_CONFIG.threshold, QUEUE_THRESHOLD)
  writer.finish()
  writer.askForAnswer()
}

/**
 * Binds a group to this socket, which may block; one that it has already stays bound. Copies that wait in the socket from
 * before are thrown away while the kernel's answer is looked for. Throws FirewallError: `permission`, or `missing`.
 */
export function bindLog(socket: NetlinkSocket, group: number, copyBytes?: number): void {
  const errno = askUntilAnswered(socket, group, copyBytes)
  const what = `NFLOG group ${group}`
  switch (errno) {
    case 0:
    case ERRNO.EBUSY:
      return
    case ERRNO.EPERM:
      throw new FirewallError(
        'permission',
        `${what}: expected a group that no other program has; is another posternd running here?`,
      )
    case ERRNO.EINVAL:
    case ERRNO.EOPNOTSUPP:
      throw new FirewallError('missing', `${what}: expected a kernel with nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG)`)
    default:
      throw refusalError(errno, what)
  }
}

/**
 * A buffer that is full of copies has no room for the answer, and a socket that blocks would be waited for in vain: so it is
 * asked again while there are still copies to be read, which made room.
 */
function askUntilAnswered(socket: NetlinkSocket, group: number, copyBytes?: number): number {
  const writer = new MessageWriter()
  for (let tries = 0; tries < MOST_QUESTIONS; tries++) {
    const sequence = group * MOST_QUESTIONS + tries
    writer.reset()
    encodeBind(writer, sequence, group, copyBytes)
    socket.write(writer.written())
    for (let reads = 0; reads < READS_A_QUESTION; reads++) {
      const bytes = socket.read()
      if (bytes === undefined) break
      for (const message of messagesOf(bytes)) {
        const isAnswer = message.type === MESSAGE.error && Math.floor(message.sequence / MOST_QUESTIONS) === group
        if (isAnswer) return errnoOf(message) ?? ERRNO.EINVAL
      }
    }
  }
  throw new FirewallError('kernel', `NFLOG group ${group}: expected an answer of the kernel’s`)
}

/**
 * A message that the kernel answers whoever sends it, privileged or not: it wakes a read that blocks (facts: such a read
 * holds process.exit up for ever).
 */
export function encodeWake(): Uint8Array {
  const writer = new MessageWriter()
  writer.begin(0x10, 0, 0, 0)
  writer.finish()
  writer.askForAnswer()
  return writer.written()
}

/** The packets in what one read of the descriptor gave; anything else in it is left out. Never throws. */
export function decodeNflog(bytes: Uint8Array): NflogPacket[] {
  const packets: NflogPacket[] = []
  const fields = new Attributes()
  for (const message of messagesOf(bytes)) {
    if (message.type !== LOG_MESSAGE.packet) continue
    const payload = fields.readMessage(message).view(LOG.payload)
    if (payload === undefined) continue
    const inputInterface = fields.be32(LOG.inputInterface)
    const mark = fields.be32(LOG.mark)
    packets.push({
      group: resourceIdOf(message),
      prefix: fields.text(LOG.prefix) ?? '',
      payload,
      ...(inputInterface === undefined ? undefined : { inputInterface }),
      ...(mark === undefined ? undefined : { mark }),
    })
  }
  return packets
}
