/** Whether anything listens behind the guarded ports. Pure. */
import { covers, rangeWords } from '../../../config/ports.js'
import type { Resource, ServerConfig } from '../../../config/types.js'
import { idWords } from '../../../daemon/called.js'
import type { Chain } from '../../../firewall/host/listing.js'
import { isForwarded } from '../../../firewall/host/walk.js'
import type { Finding } from '../../finding.js'
import type { ListeningPorts } from '../listening-ports.js'

/** A resource none of whose ports anybody listens at. Ports that are sent on elsewhere, or guarded for others, are nobody's here. */
export function ofServices(
  { resources, firewall }: ServerConfig,
  ports: ListeningPorts,
  chains: readonly Chain[],
): Finding[] {
  if (firewall.guardForward.length > 0) return []
  return [...resources.values()].flatMap((resource) => {
    const { target } = resource
    if (target.kind !== 'ports' || isServed(resource, ports)) return []
    const [protocol] = target.protocols
    const [range = { first: 0, last: 0 }] = target.ports
    if (isForwarded(chains, { family: 4, protocol: protocol!, port: range.first, state: 'new' })) return []
    const port = `${range.first === range.last ? 'port' : 'ports'} ${rangeWords(range)}`
    return [
      {
        code: 'no-service',
        sentence: `nothing listens on ${protocol!.toUpperCase()} ${port} (resource ${idWords(resource.id, resource)}), so a lease shows a shut port`,
        mend: protocol === 'tcp' ? 'ss -ltnp' : 'ss -lunp',
      },
    ]
  })
}

function isServed(resource: Resource, ports: ListeningPorts): boolean {
  const { target } = resource
  if (target.kind !== 'ports') return true
  return target.protocols.some((protocol) => [...ports[protocol]].some((port) => covers(resource, port)))
}
