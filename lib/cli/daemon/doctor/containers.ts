/**
 * What docker makes of guarded ports. In guard mode a published port is shut ahead of docker's address translation; what remains is
 * the container's own address, which docker before 28 lets anybody in who has a route to it: machines of the host's own networks.
 * In chain mode a published port never meets the chain. Pure.
 */
import { isWithin } from '../../../config/networks.js'
import { covers } from '../../../config/ports.js'
import type { Resource, ServerConfig } from '../../../config/types.js'
import { idWords } from '../../../daemon/called.js'
import type { Chain } from '../../../firewall/host/listing.js'
import type { Probe } from '../../../firewall/host/matches.js'
import { type Published, publishedIn } from '../../../firewall/host/published.js'
import { fateIn } from '../../../firewall/host/walk.js'
import type { Finding } from '../../finding.js'
import { forwardedFinding } from './host.js'

/** What the host's programs print: `nft list ruleset`, and `iptables-legacy-save` where there are such rules. */
export interface Printed {
  readonly nft: string
  readonly legacy: string
}

/** `all`: the host's chains, of nft alone. */
export function ofContainers(config: ServerConfig, all: readonly Chain[], { nft, legacy }: Printed): Finding[] {
  const chains = all.filter(({ family, table }) => !(family === 'inet' && table === config.firewall.table))
  if (config.firewall.mode === 'chain')
    return publishedIn(legacy).flatMap((one) => {
      const resource = resourceOf(config, one.protocol, one.port)
      return resource === undefined ? [] : [forwardedFinding(config, resource, one)]
    })
  return publishedIn(nft).flatMap((one) => {
    const resource = resourceOf(config, one.protocol, one.port)
    return resource === undefined || isGuarded(config, one) || !letsIn(chains, one) ? [] : [around(resource, one)]
  })
}

function around(resource: Resource, { protocol, port, address, containerPort, device }: Published): Finding {
  const to = `${protocol.toUpperCase()} port ${containerPort}`
  return {
    code: 'around-the-guard',
    sentence: `${protocol.toUpperCase()} port ${port} (resource ${idWords(resource.id, resource)}) is a container’s, and docker accepts ${to} of its own address ${address} from any interface: a machine of this host’s own networks that routes to ${address} gets in without a lease`,
    mend: `iptables -t raw -I PREROUTING -d ${address} ! -i ${device} -j DROP   # docker 28 and later has this rule itself`,
  }
}

function resourceOf({ resources }: ServerConfig, protocol: 'tcp' | 'udp', port: number): Resource | undefined {
  return [...resources.values()].find(
    (resource) =>
      resource.target.kind === 'ports' && resource.target.protocols.includes(protocol) && covers(resource, port),
  )
}

/** `guard-forward` names the container, and its own port is guarded, too. */
function isGuarded(config: ServerConfig, { protocol, address, containerPort }: Published): boolean {
  return (
    config.firewall.guardForward.some((network) => isWithin(address, network)) &&
    resourceOf(config, protocol, containerPort) !== undefined
  )
}

/** Whether a stranger's packet to the container's own address gets there for certain. */
function letsIn(chains: readonly Chain[], { protocol, address, containerPort, device }: Published): boolean {
  const probe: Probe = { family: 4, protocol, port: containerPort, state: 'new', behind: { device, address } }
  const onItsWay = chains.filter(
    ({ base, family }) =>
      base?.type === 'filter' &&
      ['prerouting', 'forward', 'postrouting'].includes(base.hook) &&
      ['ip', 'inet'].includes(family),
  )
  return onItsWay.every((base) => fateIn(base, chains, probe).verdict === 'accept')
}
