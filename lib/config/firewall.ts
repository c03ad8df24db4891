/**
 * [NFTABLES] (letmein's) and [FIREWALL] (postern's): how postern sits in the host's firewall.
 */
import type { Findings } from './error.js'
import type { Section } from './ini.js'
import { network, overlapping } from './networks.js'
import { SectionReader } from './section.js'
import type { ServerConfig } from './types.js'
import { type Form, integer, interfaceName, listOf, misfit, nftName, oneBit, oneOf, seconds } from './values.js'

const DEFAULT_LEASE_MS = 600_000
const MOST_RULES = 1_000_000
const MOST_GROUP = 65_535

/** Lower case only, as letmein has it. */
const family: Form<'inet' | 'ip' | 'ip6'> = (value) =>
  value === 'inet' || value === 'ip' || value === 'ip6' ? { value } : misfit(value, 'inet, ip or ip6')

const program: Form<string> = (value) => (value === '' ? misfit(value, "the nft program's name or path") : { value })

/** Where leases are kept, and how long a lease is where neither knock nor resource says. */
export function readFirewall(
  sections: ReadonlyMap<string, Section>,
  findings: Findings,
): { firewall: ServerConfig['firewall']; leaseMs: number } {
  const nftables = new SectionReader(sections, 'NFTABLES', findings)
  const nft = nftables.take('exe', program, 'nft')
  const chainFamily = nftables.take('family', family, undefined)
  const chainTable = nftables.take('table', nftName, undefined)
  const input = nftables.take('chain-input', nftName, undefined)
  const forward = nftables.take('chain-forward', nftName, undefined)
  const output = nftables.take('chain-output', nftName, undefined)
  const leaseMs = nftables.take('timeout', seconds(), DEFAULT_LEASE_MS)
  if (nftables.take('max-nr-rules', integer(0, MOST_RULES), undefined) !== undefined)
    nftables.warn('max-nr-rules', 'has no meaning for postern: leases are no rules; [LIMITS] and "leases:" bound them')
  nftables.finish('warn')

  const section = new SectionReader(sections, 'FIREWALL', findings)
  const namesChain = nftables.option('chain-input') !== undefined
  const mode = section.take('mode', oneOf('guard', 'chain'), namesChain ? 'chain' : 'guard')
  const table = section.take('table', nftName, 'postern')
  const closed = section.take('closed', oneOf('auto', 'drop', 'reject'), 'auto')
  const markBit = section.take('mark', oneBit, 0x10000)
  const trust = section.take('trust', listOf(interfaceName), [])
  const guardForward = section.take('guard-forward', listOf(network), [])
  const pair = overlapping(guardForward)
  if (pair !== undefined)
    section.refuse('guard-forward', `"${pair[1]}": expected networks that do not overlap: ${pair[0]}`)
  const heardGroup = section.take('heard-group', integer(1, MOST_GROUP), 5800)
  const recordGroup = section.take('record-group', integer(1, MOST_GROUP), 5801)
  if (heardGroup === recordGroup) {
    const named = section.option('record-group') === undefined ? 'heard-group' : 'record-group'
    section.refuse(named, `"${recordGroup}": expected a group of its own, for heard-group and record-group differ`)
  }
  section.finish('refuse')

  // A value that did not fit was said already; here it is for those that are not there at all.
  if (mode === 'chain')
    for (const name of ['family', 'table', 'chain-input'])
      if (nftables.option(name) === undefined)
        findings.refuse(
          nftables.line() || section.line('mode'),
          `[NFTABLES] ${name} is missing: expected with chain-input or mode = chain, as family = inet, table = filter, chain-input = INPUT`,
        )
  const chain =
    chainFamily === undefined || chainTable === undefined || input === undefined
      ? undefined
      : {
          family: chainFamily,
          table: chainTable,
          input,
          ...(forward === undefined ? {} : { forward }),
          ...(output === undefined ? {} : { output }),
        }
  if (mode === 'guard' && nftables.option('table') !== undefined)
    findings.warn(
      nftables.line('table'),
      '[NFTABLES] family, table and chains have no meaning: postern guards by itself (mode = guard, or no chain-input)',
    )
  return {
    firewall: {
      mode,
      table,
      ...(chain === undefined ? {} : { chain }),
      closed,
      markBit,
      trust,
      guardForward,
      heardGroup,
      recordGroup,
      nft,
    },
    leaseMs,
  }
}
