/** Requests as a gate hands them over, told apart by one number. */
import type { ReplayId } from '../../lib/gate/verdict.js'

export const WINDOW_MS = 60_000
export const START_MS = 1_764_000_000_000
export const BOOT = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

export function idOf(number: number): Uint8Array {
  const id = Buffer.alloc(24)
  id.writeUInt32BE(number, 20)
  return id
}

export function request(number: number, timeMs: number, user = 1): ReplayId {
  return { user, id: idOf(number), timeMs, expiresMs: timeMs + WINDOW_MS }
}
