/** Where most figures are measured: a laboratory whose server runs the daemon for a crowd. */

import { SLOT_MS } from '../../lib/wire/spa-keys.js'
import type { Child } from '../../spec/support/child.js'
import { Installation, KNOCK_PORT } from '../../spec/support/installation.js'
import { type Lab, openLab } from '../../spec/support/lab.js'
import { pause, poll } from '../../spec/support/poll.js'
import { type Crowd, REALM } from './crowd.js'
import { type Pids, pidsOf } from './processes.js'

export interface Bed extends Lab {
  readonly postern: Installation
  readonly daemon: Child
  readonly pids: Pids
  /** Knocks that the daemon says it acted on so far. */
  accepted(): Promise<number>
}

export interface BedOptions {
  readonly crowd: Crowd
  /** Lines of [RESOURCES]. */
  readonly resources: readonly string[]
  /** Where the server hears; the control port where it is not said. */
  readonly port?: string
  /** Lines of [LIMITS]. */
  readonly limits?: string
}

/** A connected socket loses the datagram after each ICMP message that a shut knock port answers with. */
const NO_REFUSALS = `table inet bench {
  chain input {
    type filter hook input priority 0
    icmp type destination-unreachable drop
    icmpv6 type destination-unreachable drop
  }
}
`

/** Two files that fit each other, the daemon running and every user's tags in the kernel. */
export async function openBed({
  crowd,
  resources,
  port = `${KNOCK_PORT} / udp`,
  limits = '',
}: BedOptions): Promise<Bed> {
  const lab = await openLab()
  try {
    const postern = new Installation(lab)
    const head = `[GENERAL]\nport = ${port}\n[SPA]\nrealm = ${REALM}\n`
    const body = `[KEYS]\n${crowd.keys.join('\n')}\n[RESOURCES]\n${resources.join('\n')}\n`
    postern.configure(`${head}[LIMITS]\n${limits}\n${body}`)
    postern.configureClient(`${head}[CLIENT]\ndefault-user = 00000001\n${body}`)
    await postern.trustClock()
    const daemon = await postern.start()
    const pids = await poll('the daemon has three processes', () => pidsOf(daemon))
    const accepted = async () => {
      const { counters } = await postern.status()
      return (counters['opened'] ?? 0) + (counters['prolonged'] ?? 0) + (counters['unchanged'] ?? 0)
    }
    const bed = { ...lab, postern, daemon, pids, accepted }
    await lab.client.must(['nft', '-f', '-'], { input: NO_REFUSALS })
    await hears(bed, crowd)
    return bed
  } catch (error) {
    await lab.close()
    throw error
  }
}

/** The first knock of all may come before the listener has its keys: until one is accepted, it does not count. */
async function hears({ client, server, accepted }: Bed, crowd: Crowd): Promise<void> {
  await poll(
    'a knock is accepted',
    async () => {
      await client.send(server.v4, KNOCK_PORT, [crowd.knock({ resource: 1 })])
      return (await accepted()) > 0
    },
    { every: 100 },
  )
}

/**
 * Until instant knocks work: a server whose clock was trusted a moment ago puts no token of that slot into the kernel, for an
 * earlier run might have done so (lib/daemon/past.ts).
 */
export async function tokensAreIn(): Promise<void> {
  await pause(SLOT_MS - (Date.now() % SLOT_MS) + 500)
}
