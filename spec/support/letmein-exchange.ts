/** The letmein exchange by hand: single messages, sent from a port of one's choice, and what a capture saw of the answers. */
import { randomBytes } from 'node:crypto'
import { decode, encodeSigned, type Message, ZERO_AUTH } from '../../lib/wire/letmein.js'
import type { Capture } from './capture.js'
import { KEY, KNOCK_PORT, USER } from './installation.js'
import type { Namespace } from './namespace.js'
import type { Packet } from './packet.js'
import { poll } from './poll.js'

const KEY_BYTES = Buffer.from(KEY, 'hex')
const USER_ID = Number.parseInt(USER, 16)

/** A fresh KNOCK (or whatever is said) of the laboratory's user for resource 1. `key`: another one makes it a stranger's. */
export function knockMessage(more: Partial<Message> = {}, key: Uint8Array = KEY_BYTES): Buffer {
  const message = { operation: 'KNOCK' as const, user: USER_ID, resource: 1, salt: randomBytes(8), ...more }
  return Buffer.from(encodeSigned(message, key, ZERO_AUTH))
}

/** The right RESPONSE to a CHALLENGE. */
export function responseTo(challenge: Uint8Array, key: Uint8Array = KEY_BYTES): Buffer {
  const asked = decode(challenge)
  if ('why' in asked) throw new Error(`no message: ${asked.why}`)
  const { user, resource, auth } = asked
  return Buffer.from(encodeSigned({ operation: 'RESPONSE', user, resource, salt: randomBytes(8) }, key, auth))
}

/** What was sent over UDP to this address, all ports or one. */
export function answersTo(packets: readonly Packet[], address: string, port?: number): Buffer[] {
  return packets
    .filter(({ kind, destination }) => kind === 'udp' && destination === address)
    .filter(({ destinationPort }) => port === undefined || destinationPort === port)
    .map(({ payload }) => payload)
}

/** What a message is, in letmein's own word. */
export function operationOf(bytes: Uint8Array): string {
  const message = decode(bytes)
  return 'why' in message ? message.why : message.operation
}

export interface Way {
  readonly from: Namespace
  /** The address that it comes from, as the server sees it; the host's own IPv4 address where it is not said. */
  readonly source?: string
  /** The server's. */
  readonly to: string
  readonly port: number
}

/** Sends a KNOCK and gives back the CHALLENGE, as a capture at either end saw it. */
export async function challengeFor(knock: Buffer, way: Way, capture: Capture): Promise<Buffer> {
  await way.from.send(way.to, KNOCK_PORT, [knock], way.port)
  return answer(way, capture, 'CHALLENGE')
}

/** Waits for this answer on this way. */
export function answer({ from, source = from.v4, port }: Way, capture: Capture, word: string): Promise<Buffer> {
  return poll(`${word} to ${source} port ${port}`, async () =>
    answersTo(await capture.packets(), source, port).findLast((bytes) => operationOf(bytes) === word),
  )
}
