/** What the monitor tells the listener, and how much of it may wait. */
import type { Socket } from 'node:net'
import { encodeMessage, type Message } from './settings.js'

/** Settings of 100,000 users are 15 MB; a listener that asks for them again and again is not fed for ever. */
const MAX_QUEUED_BYTES = 64 << 20
const MOST_UNREAD_RESULTS_BYTES = 1 << 20

export interface ToListener {
  write(bytes: Uint8Array): void
  send(message: Message): void
}

/** `onFull`: it does not read what it is told; nothing more is kept for it. */
export function toListener(channel: Pick<Socket, 'writableLength' | 'write'>, onFull: () => void): ToListener {
  const write = (bytes: Uint8Array) => {
    if (channel.writableLength > MAX_QUEUED_BYTES) onFull()
    else channel.write(bytes)
  }
  const send = (message: Message) => {
    // Not to a listener that only asks: results that it does not read would fill our memory.
    if (message.kind === 'result' && channel.writableLength > MOST_UNREAD_RESULTS_BYTES) return
    write(encodeMessage(message))
  }
  return { write, send }
}
