/** From a task to what keeps it: how it knocks, with what it learned from the knocks before. */
import type { Attempt, Charge } from '../client/keepalive.js'
import { type Settled, Settling } from '../client/keepalive-protocol.js'
import { KnownAddresses } from '../client/known-addresses.js'
import { type Lookup, resolve } from '../client/resolve.js'
import { livePeers } from '../client/tcp-connections.js'
import { contains } from '../config/ports.js'
import type { PortRange } from '../config/types.js'
import { canonicalAddress, type Family, familyOf } from '../wire/address.js'
import type { World } from './command.js'
import type { Task } from './keepalive-arguments.js'
import type { Kept } from './keepalive-tasks.js'
import { carryOut } from './knock.js'
import { readyFwknop } from './knock-fwknop.js'
import type { Told } from './told.js'

/** Where no lease's length is known, no older one lasts longer: the server's own default. */
const LONGEST_UNKNOWN_MS = 600_000

/** All but the rhythm, which a single knock has none of. */
export function chargeOf({ key, task, source }: Kept, world: World): Omit<Charge, 'rhythm'> {
  const { asked, whileConnected, address } = task
  const known = new KnownAddresses(address)
  const lookup = known.remembering(world.outside.lookup)
  const outside = { ...world.outside, lookup }
  const quiet = { ...source, warnings: [] }
  const settling = isSettled(task) ? new Settling(task.leaseMs ?? LONGEST_UNKNOWN_MS) : undefined

  const knock = async (families: readonly Family[], by: Settled | undefined): Promise<Told> => {
    const { way } = task
    if (way.kind === 'fwknop') {
      const place = { name: way.host, address }
      return readyFwknop({ args: way.args, asked, operation: 'open', source: quiet, place, world }).go(outside)
    }
    return carryOut({
      plan: { ...way.plan, protocol: by ?? way.plan.protocol },
      asked: { ...asked, families, isEveryFamilyWanted: asked.isEveryFamilyWanted && by === undefined },
      operation: whileConnected ? 'extend' : 'open',
      source: quiet,
      outside,
    })
  }
  const attempt = async (isNew: boolean): Promise<Attempt> => {
    const families = whileConnected
      ? await connectedBy(whileConnected, address, asked.families, { known, lookup })
      : asked.families
    if (families.length === 0) return { kind: 'idle' }
    const nowMs = performance.now()
    const by = settling?.next(nowMs, isNew)
    const told = await knock(families, by)
    if (by !== undefined) settling?.learn(by, nowMs, told)
    if (!told.isDone) return { kind: 'failed', why: told.failure }
    return { kind: 'done', warnings: [...told.warnings, ...told.alarms] }
  }
  return {
    key,
    attempt: (isNew) => attempt(isNew).catch((error): Attempt => ({ kind: 'failed', why: reasonOf(error, address) })),
    route: async () => {
      const sources = await Promise.all(known.firsts.map((to) => outside.ownAddress(to)))
      return sources.join(' ').trim()
    },
  }
}

/** Whether the port itself tells which of the two protocols of `auto` opens it. */
function isSettled({ way }: Task): boolean {
  if (way.kind !== 'planned' || way.plan.protocol !== 'auto') return false
  return way.plan.subjects.every(({ probePort }) => probePort !== undefined)
}

/** The families that this machine has a live connection to the host in, at one of the ports. */
async function connectedBy(
  ports: readonly PortRange[],
  host: string,
  families: readonly Family[],
  { known, lookup }: { known: KnownAddresses; lookup: Lookup },
): Promise<Family[]> {
  const peers = livePeers((port) => ports.some((range) => contains(range, port)))
  // Nobody is asked for the host's addresses as long as there is no connection at all.
  if (peers.length === 0) return []
  await Promise.allSettled(resolve(host, families, lookup))
  const addresses = new Set(known.all.map(({ address }) => canonicalAddress(address.replace(/%.*/, ''))))
  const reached = new Set(peers.filter(({ address }) => addresses.has(address)).map(({ address }) => familyOf(address)))
  return families.filter((family) => reached.has(family))
}

/** The error's sentence, without the host that is named beside it. */
function reasonOf(error: unknown, host: string): string {
  const { message } = error instanceof Error ? error : { message: String(error) }
  return message.startsWith(`${host}: `) ? message.slice(host.length + 2) : message
}
