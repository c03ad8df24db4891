/** Whether anything listens behind the guarded ports. Pure. */
import type { Resource, ServerConfig } from '../../../config/types.js'
import { idWords } from '../../../daemon/called.js'
import type { Chain } from '../../../firewall/host/listing.js'
import { isForwarded } from '../../../firewall/host/walk.js'
import type { Finding } from '../../finding.js'

const LISTEN = '0A'

/** Ports by protocol at which this host has sockets; `tcp` and `udp` are the texts of /proc/net/{tcp,udp} and their like for IPv6. */
export function listeningPorts(texts: {
  readonly tcp: string
  readonly udp: string
}): Record<'tcp' | 'udp', Set<number>> {
  return { tcp: portsIn(texts.tcp, LISTEN), udp: portsIn(texts.udp, undefined) }
}

function portsIn(text: string, state: string | undefined): Set<number> {
  const rows = text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /gm)
  const ports = new Set<number>()
  for (const [, port, is] of rows) if (state === undefined || is === state) ports.add(Number.parseInt(port!, 16))
  return ports
}

/** A resource none of whose ports anybody listens at. Ports that are sent on elsewhere, or guarded for others, are nobody's here. */
export function ofServices(
  { resources, firewall }: ServerConfig,
  ports: Record<'tcp' | 'udp', ReadonlySet<number>>,
  chains: readonly Chain[],
): Finding[] {
  if (firewall.guardForward.length > 0) return []
  return [...resources.values()].flatMap((resource) => {
    const { target } = resource
    if (target.kind !== 'ports' || isServed(resource, ports)) return []
    const [protocol] = target.protocols
    const [{ first, last } = { first: 0, last: 0 }] = target.ports
    if (isForwarded(chains, { family: 4, protocol: protocol!, port: first, state: 'new' })) return []
    const port = first === last ? `port ${first}` : `ports ${first}–${last}`
    return [
      {
        code: 'no-service',
        sentence: `nothing listens on ${protocol!.toUpperCase()} ${port} (resource ${idWords(resource.id, resource)}), so a lease shows a shut port`,
        mend: protocol === 'tcp' ? 'ss -ltnp' : 'ss -lunp',
      },
    ]
  })
}

function isServed({ target }: Resource, ports: Record<'tcp' | 'udp', ReadonlySet<number>>): boolean {
  if (target.kind !== 'ports') return true
  return target.protocols.some((protocol) =>
    [...ports[protocol]].some((port) => target.ports.some(({ first, last }) => first <= port && port <= last)),
  )
}
