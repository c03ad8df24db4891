/**
 * Question and answer over one netlink socket. Sequence numbers tell answers from what an earlier call that failed left
 * behind; that is thrown away before the next question.
 */
import { FirewallError } from '../types.js'
import { errnoOf, type Message, messagesOf } from './message.js'
import { ERRNO, FLAG, MESSAGE } from './numbers.js'
import type { NetlinkSocket } from './socket.js'

/** Why the kernel did not do it: a positive errno, and the sequence number of the message that it is about. */
export interface Refusal {
  readonly errno: number
  readonly sequence: number
}

const SEQUENCE_LIMIT = 0x7fff_0000
/** A dump is begun anew so often when the ruleset changes under it. */
const DUMP_TRIES = 16

export class Conversation {
  private sequence = 1

  /**
   * False from a question to the end of its answer, and at first: the program that had the socket before us may have ended in
   * the middle of an answer.
   */
  private settled = false

  constructor(private readonly socket: NetlinkSocket) {}

  /** The first of `count` sequence numbers that nothing else has. */
  reserve(count: number): number {
    if (this.sequence + count > SEQUENCE_LIMIT) this.sequence = 1
    const first = this.sequence
    this.sequence += count
    return first
  }

  /**
   * Sends a transaction whose last message, numbered `last`, asks for an answer. Refusals come before that answer, and one
   * is enough for nothing to have happened; the first is given back. Throws FirewallError where the kernel says nothing.
   */
  transact(bytes: Uint8Array, first: number, last: number): Refusal | undefined {
    this.send(bytes)
    let refusal: Refusal | undefined
    for (let answer = this.socket.read(); answer !== undefined; answer = this.socket.read()) {
      for (const message of messagesOf(answer)) {
        if (message.type !== MESSAGE.error || message.sequence < first || message.sequence > last) continue
        const errno = errnoOf(message)
        if (errno) refusal ??= { errno, sequence: message.sequence }
        if (message.sequence !== last) continue
        this.settled = true
        return refusal
      }
    }
    // A transaction that is refused as a whole is answered by its first message alone.
    if (refusal === undefined) throw silence()
    this.settled = true
    return refusal
  }

  /** Asks one thing that has one answer, which `visit` sees. Gives back the errno; 0: it went well. */
  ask(bytes: Uint8Array, sequence: number, visit?: (message: Message) => void): number {
    this.send(bytes)
    for (let answer = this.socket.read(); answer !== undefined; answer = this.socket.read()) {
      for (const message of messagesOf(answer)) {
        if (message.sequence !== sequence) continue
        this.settled = true
        if (message.type === MESSAGE.error) return errnoOf(message) ?? ERRNO.EINVAL
        visit?.(message)
        return 0
      }
    }
    throw silence()
  }

  /**
   * Asks for a list. `question` writes it with the sequence number it is given; `restart` is called before each try, for
   * the ruleset may change in between and what came then is not one state. Gives back the errno; 0: all of it came.
   */
  list(question: (sequence: number) => Uint8Array, restart: () => void, visit: (message: Message) => void): number {
    for (let tries = 0; tries < DUMP_TRIES; tries++) {
      restart()
      const sequence = this.reserve(1)
      const outcome = this.listOnce(question(sequence), sequence, visit)
      if (outcome !== 'interrupted') return outcome
    }
    return ERRNO.EAGAIN
  }

  private listOnce(bytes: Uint8Array, sequence: number, visit: (message: Message) => void): number | 'interrupted' {
    this.send(bytes)
    let interrupted = false
    for (let answer = this.socket.read(); answer !== undefined; answer = this.socket.read()) {
      for (const message of messagesOf(answer)) {
        if (message.sequence !== sequence) continue
        if ((message.flags & FLAG.dumpInterrupted) !== 0) interrupted = true
        if (message.type !== MESSAGE.error && message.type !== MESSAGE.done) {
          if (!interrupted) visit(message)
          continue
        }
        this.settled = true
        const errno = errnoOf(message) ?? 0
        return interrupted && (errno === 0 || message.type === MESSAGE.done) ? 'interrupted' : errno
      }
    }
    throw silence()
  }

  private send(bytes: Uint8Array): void {
    if (!this.settled) while (this.socket.read() !== undefined);
    this.settled = false
    this.socket.write(bytes)
  }
}

function silence(): FirewallError {
  return new FirewallError('kernel', 'netlink: the kernel’s answer was lost: expected one for each question')
}
