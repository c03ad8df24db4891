/** Whether the host's own rules let letmein's CHALLENGE out: its clients wait for it, and the daemon is told only EPERM. Pure. */
import type { ServerConfig } from '../../../config/types.js'
import type { Chain } from '../../../firewall/host/listing.js'
import type { Finding } from '../../finding.js'
import { firstDrop, mendOf, SOME_PORT, sorted, whereOf } from './host.js'

const OUT: readonly string[] = ['output', 'postrouting']

/** `chains`: of the whole host, postern's own too, which has none there. */
export function ofAnswers({ letmein }: ServerConfig, chains: readonly Chain[]): Finding[] {
  const { udp } = letmein.ports
  // Over any port a client draws one; rules for one port say nothing of it.
  if (!letmein.enabled || udp === 'any') return []
  const of = (isWanted: (hook: string) => boolean) =>
    sorted(chains.filter(({ base }) => base?.type === 'filter' && isWanted(base.hook)))
  for (const port of udp) {
    // What is dropped on its way in is unknown to conntrack, and its answer is new.
    const isKnockDropped =
      firstDrop(
        of((hook) => hook === 'input'),
        chains,
        { family: 4, protocol: 'udp', port, state: 'new' },
      ) !== undefined
    const state = isKnockDropped ? 'new' : 'established'
    const answer = { family: 4, protocol: 'udp', port: SOME_PORT, sourcePort: port, state } as const
    const fate = firstDrop(
      of((hook) => OUT.includes(hook)),
      chains,
      answer,
    )
    if (fate !== undefined)
      return [
        {
          code: 'answers-dropped',
          sentence: `${whereOf(fate)} drops the CHALLENGE that letmein’s clients wait for, from UDP port ${port}, so none of them gets in`,
          mend: mendOf(fate, `udp sport ${port} accept`),
        },
      ]
  }
  return []
}
