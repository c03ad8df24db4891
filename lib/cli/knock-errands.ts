/** What a plan means as errands of the client, one for each protocol. Pure. */
import type { AutoErrand, Probed } from '../client/auto.js'
import type { Wish } from '../client/knock.js'
import type { LetmeinErrand } from '../client/letmein.js'
import type { Errand } from '../client/perform.js'
import type { Operation } from '../gate/verdict.js'
import type { KnockArguments } from './knock-arguments.js'
import type { Plan } from './knock-plan.js'

/** postern's own datagrams. */
export function spaErrand(plan: Plan, asked: KnockArguments, operation: Operation): Errand {
  const { lifetimeSeconds, address, allowWord, single, waitMs } = asked
  // An instant datagram can say neither: the kernel would open for the sender, and for the resource's whole time.
  const canBeInstant = operation === 'open' && lifetimeSeconds === 0 && address === undefined && allowWord === undefined
  const wishes = plan.subjects.map(({ resource, instant }): Wish => {
    const sent = instant && canBeInstant ? (single ? 'alone' : 'first') : 'no'
    return { operation, resource, lifetimeSeconds, instant: sent, ...(address !== undefined && { address }) }
  })
  const ports = plan.subjects.flatMap(({ port }) => (port === undefined ? [] : [port]))
  return {
    host: plan.host,
    families: asked.families,
    identity: plan.identity,
    wishes,
    controlPort: plan.controlPort,
    tries: asked.tries,
    namesSource: allowWord === 'auto',
    ...(waitMs !== undefined && { wait: { ports, timeoutMs: waitMs } }),
  }
}

/** letmein's exchange. Whoever looks at the plan has seen to it that the operation is none but these two. */
export function letmeinErrand(plan: Plan, asked: KnockArguments, operation: Operation): LetmeinErrand {
  const { host, identity, letmein, subjects } = plan
  return {
    ...letmein,
    host,
    families: asked.families,
    isEveryFamilyWanted: asked.isEveryFamilyWanted,
    operation: operation === 'revoke' ? 'REVOKE' : 'KNOCK',
    user: identity.user,
    key: identity.key,
    resources: [...new Set(subjects.map(({ resource }) => resource))],
  }
}

/** The one and, where nothing opens, the other. A port that is being shut cannot be told from one that is dropped. */
export function autoErrand(plan: Plan, asked: KnockArguments, operation: Operation): AutoErrand {
  const { wait: _, ...spa } = spaErrand(plan, asked, operation)
  const probed = plan.subjects.flatMap(({ resource, probePort }): Probed[] =>
    operation === 'open' && probePort !== undefined ? [{ resource, port: probePort }] : [],
  )
  return {
    spa,
    letmein: { ...letmeinErrand(plan, asked, operation), isEveryFamilyWanted: false },
    probed,
    ...(asked.waitMs !== undefined && { waitMs: asked.waitMs }),
  }
}
