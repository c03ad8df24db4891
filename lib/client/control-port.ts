/** Which port a knock goes to. Pure. */
import { below, type Random } from './knock.js'

const LEAST_RANDOM_PORT = 1024

/** The port itself; for `any` a high one at random, drawn anew at each call. */
export function portFor(controlPort: number | 'any', random: Random): number {
  return controlPort === 'any' ? LEAST_RANDOM_PORT + below(65_536 - LEAST_RANDOM_PORT, random) : controlPort
}
