/** What nft itself thinks of the ruleset that a configuration gives: a name that is a word of its language, an nft that is too old. */
import { ConfigError } from '../../config/error.js'
import type { ServerConfig } from '../../config/types.js'
import { type Nft, nftProgram } from '../../firewall/nft.js'
import { ownTable } from '../../firewall/ruleset.js'
import { readTemplates } from '../../firewall/templates.js'
import { FirewallError } from '../../firewall/types.js'

/**
 * Asks `nft -c`, which changes nothing. Gives back why it could not be asked (not root, no nft), in words, or undefined.
 * Throws ConfigError where nft refuses the ruleset.
 */
export function checkRuleset(config: ServerConfig, nft: Nft = nftProgram(config.firewall.nft)): string | undefined {
  const { table } = config.firewall
  // As if none were there: what an earlier configuration left must not stand in the way.
  const text = `table inet ${table}\ndelete table inet ${table}\n${ownTable(config, readTemplates(), 'drop').text}`
  try {
    nft.check(text)
    return undefined
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error
    if (error.code === 'permission' || error.code === 'missing') return `the ruleset was not tried: ${error.message}`
    const message = `nft refuses the ruleset that this file gives: ${error.message}`
    throw new ConfigError([{ file: config.file, line: 0, message }], 'config', { cause: error })
  }
}
