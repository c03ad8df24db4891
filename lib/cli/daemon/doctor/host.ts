/** What of the host's own ruleset stands in postern's way: in front of the knock, in front of the lease, behind it. Pure. */
import type { Resource, ServerConfig } from '../../../config/types.js'
import { idWords } from '../../../daemon/called.js'
import type { Chain, Rule } from '../../../firewall/host/listing.js'
import type { Probe } from '../../../firewall/host/matches.js'
import { type Fate, fateIn, isForwarded, untracking } from '../../../firewall/host/walk.js'
import type { Finding } from '../../finding.js'

const MANGLE = -150
/** Where a connection of the host's own may come from. */
export const SOME_PORT = 45_678
const FAMILIES: Readonly<Record<4 | 6, readonly string[]>> = {
  4: ['ip', 'inet', 'netdev'],
  6: ['ip6', 'inet', 'netdev'],
}

/** All that is certain. `others`: chains that are not postern's own. */
export function ofHost(config: ServerConfig, all: readonly Chain[]): Finding[] {
  const others = all.filter(({ family, table }) => !(family === 'inet' && table === config.firewall.table))
  const found = [...ofKnocks(config, others), ...portsOf(config).flatMap((one) => ofPort(one, config, others))]
  return found.filter(({ code, mend }, i) => found.findIndex((one) => one.code === code && one.mend === mend) === i)
}

/** Ahead of where knocks are heard. */
function ofKnocks(config: ServerConfig, chains: readonly Chain[]): Finding[] {
  const { spa, letmein } = config
  const ports = new Set([
    ...(spa.enabled && spa.ports !== 'any' ? spa.ports : []),
    ...(letmein.enabled && letmein.ports.udp !== 'any' ? letmein.ports.udp : []),
  ])
  return [...ports].flatMap((port) => {
    const fate = firstDrop(ahead(chains), chains, { family: 4, protocol: 'udp', port, state: 'new' })
    if (fate === undefined) return []
    return [
      {
        code: 'knock-dropped',
        sentence: `${whereOf(fate)} drops UDP port ${port} ahead of postern, so no knock is heard`,
        mend: mendOf(fate, `udp dport ${port} accept`),
      },
    ]
  })
}

interface Guarded {
  readonly resource: Resource
  readonly probe: Probe
}

/** One port of each resource and protocol: rules for a range mostly say the range. */
function portsOf({ resources }: ServerConfig): Guarded[] {
  return [...resources.values()].flatMap((resource) => {
    const { target } = resource
    if (target.kind !== 'ports') return []
    return target.protocols.flatMap((protocol) =>
      target.ports.map(
        ({ first }): Guarded => ({ resource, probe: { family: 4, protocol, port: first, state: 'new' } }),
      ),
    )
  })
}

function ofPort(guarded: Guarded, config: ServerConfig, chains: readonly Chain[]): Finding[] {
  return config.firewall.mode === 'guard' ? inGuardMode(guarded, chains) : inChainMode(guarded, config, chains)
}

function inGuardMode({ resource, probe }: Guarded, chains: readonly Chain[]): Finding[] {
  const what = `${probe.protocol.toUpperCase()} port ${probe.port} (resource ${idWords(resource.id, resource)})`
  const before = firstDrop(ahead(chains), chains, probe)
  if (before !== undefined)
    return [
      {
        code: 'dropped-ahead',
        sentence: `${whereOf(before)} drops ${what} ahead of postern, so a lease opens nothing`,
        mend: mendOf(before, `${probe.protocol} dport ${probe.port} accept`),
      },
    ]
  const untracked = untrackedBy(chains, probe)
  if (untracked !== undefined)
    return [{ ...untracked, sentence: `${untracked.sentence} for ${what}, so a connection does not outlive its lease` }]
  if (isForwarded(chains, probe)) return []
  const behind = chains.filter(
    ({ base }) =>
      base?.hook === 'input' || (base?.hook === 'prerouting' && base.priority > MANGLE && base.type === 'filter'),
  )
  const fate = firstDrop(sorted(behind), chains, probe)
  if (fate === undefined) return []
  return [
    {
      code: 'dropped-behind',
      sentence: `${whereOf(fate)} drops ${what} also for who has a lease: postern lets through to the host's own firewall, which must accept the port`,
      mend: mendOf(fate, `${probe.protocol} dport ${probe.port} accept`),
    },
  ]
}

function inChainMode({ resource, probe }: Guarded, config: ServerConfig, chains: readonly Chain[]): Finding[] {
  const what = `${probe.protocol.toUpperCase()} port ${probe.port} (resource ${idWords(resource.id, resource)})`
  if (isForwarded(chains, probe)) return [forwardedFinding(config, resource, probe)]
  const own = config.firewall.chain!
  const family = own.family === 'ip6' ? 6 : 4
  const inputs = sorted(
    chains.filter(
      ({ base, family: of }) => base?.hook === 'input' && base.type === 'filter' && FAMILIES[family].includes(of),
    ),
  )
  const fates = inputs.map((base) => fateIn(base, chains, { ...probe, family }))
  if (fates.length > 0 && fates.every(({ verdict }) => verdict === 'accept')) {
    const fate = fates.find(({ chain }) => chain.family === own.family && chain.table === own.table) ?? fates[0]!
    return [
      {
        code: 'open-to-all',
        sentence: `${what} is open to everybody: ${whereOf(fate)} accepts it without a lease`,
        mend: openMend(fate),
      },
    ]
  }
  // Connections that a lease let in go on by their mark; those of the host's own have none.
  const cutting = firstDrop(inputs, chains, { ...probe, port: SOME_PORT, state: 'established' })
  if (cutting === undefined) return []
  const { chain } = cutting
  return [
    {
      code: 'established',
      sentence: `chain ${chain.name} of table ${chain.family} ${chain.table} does not accept established connections, so answers to what this host itself asks (names, time, updates) do not come in`,
      mend: `nft insert rule ${chain.family} ${chain.table} ${chain.name} ct state established,related accept`,
    },
  ]
}

/** Chain mode: address translation sends the port on before the chain is met. */
export function forwardedFinding(
  { firewall, file }: ServerConfig,
  resource: Resource,
  { protocol, port }: Pick<Probe, 'protocol' | 'port'>,
): Finding {
  return {
    code: 'forwarded',
    sentence: `${protocol.toUpperCase()} port ${port} (resource ${idWords(resource.id, resource)}) is sent on to a container or another host ahead of chain ${firewall.chain!.input}, so it is open to everybody; guard mode shuts such ports, too`,
    mend: `posternd down && sed -i 's/^mode *=.*/mode = guard/' ${file} && posternd check && systemctl restart postern-gate postern`,
  }
}

function untrackedBy(chains: readonly Chain[], probe: Probe): Finding | undefined {
  for (const base of ahead(chains)) {
    const rule = untracking(base, chains, probe)
    if (rule === undefined) continue
    const { family, table, name } = base
    return {
      code: 'untracked',
      sentence: `chain ${name} of table ${family} ${table} turns connection tracking off`,
      mend: `nft delete rule ${family} ${table} ${name} handle ${rule.handle}`,
    }
  }
  return undefined
}

function ahead(chains: readonly Chain[]): Chain[] {
  return sorted(
    chains.filter(({ base }) => base?.hook === 'ingress' || (base?.hook === 'prerouting' && base.priority < MANGLE)),
  )
}

/** As the kernel asks them. */
export function sorted(bases: readonly Chain[]): Chain[] {
  return [...bases].sort((a, b) => a.base!.priority - b.base!.priority)
}

/** The first of these that drops it for certain, in one family at least, and not for some only in the other. */
export function firstDrop(bases: readonly Chain[], chains: readonly Chain[], probe: Probe): Fate | undefined {
  for (const base of bases) {
    const families = ([4, 6] as const).filter((family) => FAMILIES[family].includes(base.family))
    const fates = families.map((family) => fateIn(base, chains, { ...probe, family }))
    const drop = fates.find(({ verdict }) => verdict === 'drop')
    if (drop !== undefined && fates.every(({ verdict }) => verdict !== 'unsure')) return drop
  }
  return undefined
}

/** "the policy of chain input of table inet filter". */
export function whereOf({ chain, rule }: Fate): string {
  const where = `chain ${rule?.chain ?? chain.name} of table ${chain.family} ${chain.table}`
  return rule === undefined ? `the policy of ${where}` : `${where}${commentOf(rule)}`
}

function commentOf({ comment }: Rule): string {
  return comment === undefined ? '' : ` ("${comment}")`
}

/** The command that lets it pass. */
export function mendOf({ chain: { family, table, name } }: Fate, accept: string): string {
  return `nft insert rule ${family} ${table} ${name} ${accept}`
}

function openMend({ chain: { family, table, name }, rule }: Fate): string {
  return rule === undefined
    ? `nft 'chain ${family} ${table} ${name} { policy drop; }'`
    : `nft delete rule ${family} ${table} ${rule.chain} handle ${rule.handle}   # with whatever else it accepts`
}
