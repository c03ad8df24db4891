/**
 * Datagrams that a stranger may send to find out whether somebody listens: none is authentic, each has the form of a protocol
 * that postern speaks. docs/PROTOCOL.md. Pure: randomness is handed in.
 */

import type { ResourceId, UserId } from '../wire/ids.js'
import { AUTH_BYTES, encode, SALT_BYTES } from '../wire/letmein.js'

export interface Shape {
  readonly name: string
  readonly bytes: Uint8Array
}

export const LETMEIN_SHAPE = 'letmein'
/** Of no protocol's length. */
export const PLAIN_SHAPE = 'random'

const PLAIN_BYTES = 23
const SPA_BYTES = 140
const FWKNOP_CHARACTERS = 180
/** What a packet of fwknop's may begin with. */
const FWKNOP_FIRST = '8'

/** One of each kind; of letmein's a KNOCK with this user's number and an auth that is random. */
export function shapes(user: UserId, random: (bytes: number) => Uint8Array): readonly Shape[] {
  const operation = 'KNOCK'
  const resource = 0 as ResourceId
  const message = { operation, user, resource, salt: random(SALT_BYTES), auth: random(AUTH_BYTES) } as const
  return [
    { name: PLAIN_SHAPE, bytes: random(PLAIN_BYTES) },
    { name: LETMEIN_SHAPE, bytes: encode(message) },
    { name: 'postern', bytes: random(SPA_BYTES) },
    { name: 'fwknop', bytes: fwknopShape(random) },
    { name: 'empty', bytes: new Uint8Array() },
  ]
}

function fwknopShape(random: (bytes: number) => Uint8Array): Uint8Array {
  const text = Buffer.from(random(FWKNOP_CHARACTERS)).toString('base64')
  return Buffer.from(FWKNOP_FIRST + text.slice(0, FWKNOP_CHARACTERS - 1), 'latin1')
}
