/**
 * Looks at all targets of a host, slowly: a kernel sends one stranger about six ICMP messages at once and then one a second, so what is
 * silent where others answered is tried again, one a second, before silence is believed.
 */
import type { Observation, Target } from './look.js'
import type { Tried } from './sockets.js'

export interface Looking {
  /** One try; what comes back. */
  readonly attempt: (target: Target) => Promise<Tried>
  readonly pause: (ms: number) => Promise<void>
}

/** Between two datagrams: 33 a second. */
const BETWEEN_MS = 30
/** The pace at which a kernel answers one stranger by ICMP (net.ipv4.icmp_ratelimit, 1,000 ms), and a little more. */
const REFILL_MS = 1_100
const TRIES = 4

/** What each target looks like; in the order of `targets`, which are of one family. */
export async function lookAt(targets: readonly Target[], { attempt, pause }: Looking): Promise<Observation[]> {
  const udp = targets.filter(({ protocol }) => protocol === 'udp')
  const seen = new Map<Target, Tried>()
  const tryAll = async (some: readonly Target[], pauseMs: number) => {
    const tries: Promise<void>[] = []
    for (const target of some) {
      if (tries.length > 0) await pause(pauseMs)
      tries.push(attempt(target).then((tried) => void seen.set(target, tried)))
    }
    await Promise.all(tries)
  }
  const isSilent = (target: Target) => seen.get(target)!.look === 'silent'
  /** Of ports of one kind that kept silent whatever was sent, one try stands for all. */
  const doubtful = () =>
    udp.filter((target) => {
      const same = udp.filter(({ role }) => role === target.role)
      return isSilent(target) && (!same.every(isSilent) || same[0] === target)
    })

  await tryAll(udp, BETWEEN_MS)
  for (let round = 1; round < TRIES && !udp.every(isSilent) && doubtful().length > 0; round++) {
    await pause(REFILL_MS)
    await tryAll(doubtful(), REFILL_MS)
  }
  await tryAll(
    targets.filter(({ protocol }) => protocol === 'tcp'),
    BETWEEN_MS,
  )
  return targets.map((target) => ({ ...target, ...seen.get(target)! }))
}
