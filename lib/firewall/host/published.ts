/** The ports of containers that a host publishes, as docker's rules say it. Pure. */

/** Packets to a port of this host that go on to a container. */
export interface Published {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly address: string
  readonly containerPort: number
  /** The bridge that the container is behind. */
  readonly device: string
}

const BY_NFT =
  /iifname != "([^"]+)" (?:meta l4proto (?:tcp|udp) )?(tcp|udp) dport (\d+) .*?dnat (?:ip )?to ([0-9.]+):(\d+)/g
const BY_LEGACY =
  /^-A \S+(?: -d \S+)? ! -i (\S+) -p (tcp|udp) .*?--dport (\d+) .*?-j DNAT --to-destination ([0-9.]+):(\d+)/gm

/**
 * From what `nft list ruleset` prints (its JSON names no target of a rule that iptables made) and, for rules of iptables-legacy,
 * which nft does not see, from `iptables-legacy-save`.
 */
export function publishedIn(text: string): Published[] {
  return [BY_NFT, BY_LEGACY].flatMap((form) =>
    [...text.matchAll(form)].map(([, device, protocol, port, address, containerPort]) => ({
      protocol: protocol as Published['protocol'],
      port: Number(port),
      address: address!,
      containerPort: Number(containerPort),
      device: device!,
    })),
  )
}
