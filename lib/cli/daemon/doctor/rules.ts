/** What of this host's own rules, units and containers stands in postern's way, asked of its programs: for doctor and check. */
import type { ServerConfig } from '../../../config/types.js'
import { type Chain, readListing } from '../../../firewall/host/listing.js'
import { listRuleset, printRuleset } from '../../../firewall/nft.js'
import { reasonOf } from '../../../replay/error.js'
import type { Finding } from '../../finding.js'
import { ofAnswers } from './answers.js'
import { ofContainers } from './containers.js'
import { ofHost } from './host.js'
import { LEGACY_NOTE, legacyRules } from './legacy.js'

export interface Looked {
  readonly findings: readonly Finding[]
  /** What could not be looked at. */
  readonly notes: readonly string[]
  /** Of the whole host; none where nft cannot tell. */
  readonly chains: readonly Chain[]
}

/** Never throws: where nft cannot tell, a note says why. */
export function lookAtRules(config: ServerConfig): Looked {
  const { nft } = config.firewall
  const legacy = legacyRules()
  const notes = legacy === '' ? [] : [LEGACY_NOTE]
  try {
    const [chains, printed] = [readListing(listRuleset(nft)), { nft: printRuleset(nft), legacy }]
    const findings = [...ofHost(config, chains), ...ofContainers(config, chains, printed), ...ofAnswers(config, chains)]
    return { findings, notes, chains }
  } catch (error) {
    const why = `the host's own rules were not looked at: ${reasonOf(error)}`
    return { findings: ofContainers(config, [], { nft: '', legacy }), notes: [why, ...notes], chains: [] }
  }
}
