/** Errands of letmein's exchange to a server of this process. */
import { clientSystem as system } from '../../lib/client/client-system.js'
import { isLetIn, type LetmeinErrand, performLetmein } from '../../lib/client/letmein.js'
import type { Family } from '../../lib/wire/address.js'
import { KEY, RESOURCE, USER } from './letmein-server.js'

export const V4 = '127.0.0.1'
export const V6 = '::1'

/** A KNOCK at it. */
export function errandTo(server: { port: number }, more: Partial<LetmeinErrand> = {}): LetmeinErrand {
  return {
    host: V4,
    families: [4, 6],
    isEveryFamilyWanted: false,
    operation: 'KNOCK',
    user: USER,
    key: KEY,
    resources: [RESOURCE],
    transport: 'udp',
    controlPort: server.port,
    timeoutMs: 400,
    ...more,
  }
}

/** Both families of a name. */
export const bothFamilies = { ...system, lookup: async (_: string, family: Family) => [family === 4 ? V4 : V6] }

/** Does it; what was answered for RESOURCE. */
export async function ask(errand: LetmeinErrand, outside = system) {
  const { answers } = await performLetmein(errand, outside)
  const said = answers.get(RESOURCE)!
  return { said, isIn: isLetIn(said, errand), first: said[0]! }
}
