/** What specs of fwknop's lane share: text that has the shape of its packets. */
import { randomBytes } from 'node:crypto'

/** As fwknop's defaults make them. */
export const PACKET_BYTES = 204
export const SHORTEST = 140
export const LONGEST = 475
export const FIRST = ['+', '/', '8', '9'] as const

/** So many characters of base64, the first of which is `first`. */
export function packet(bytes = PACKET_BYTES, first: string = '8'): Buffer {
  const text = randomBytes(bytes).toString('base64')
  return Buffer.from(first + text.slice(1, bytes))
}
