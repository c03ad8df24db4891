/** What a server's configuration means, shown by one KNOCK after the other from 127.0.0.1 and the rules that exist after each. */
import { opensControlPort } from '../../lib/config/resources.js'
import type { Resource, ServerConfig } from '../../lib/config/types.js'
import { formatId } from '../../lib/wire/ids.js'
import { encodeSigned, ZERO_AUTH } from '../../lib/wire/letmein.js'
import { compareFields } from './compare.js'
import { serve } from './letmein-server.js'
import { bytesOf, type Fields, idOf, listOf, wrong } from './shape.js'

/** What is not as the file says it; `note` is told where a rule was needed. Throws ShapeError where a probe is none. */
export function judgeProbes(
  config: ServerConfig,
  fields: Fields,
  where: string,
  note: (why: string) => void,
): string[] {
  const found: string[] = []
  const open = new Set<string>()
  for (const [i, probe] of listOf(fields, 'probes').entries()) {
    const at = `${where}.probes[${i}]`
    const answers = wordsOf(probe, 'answers', at)
    const rules = wordsOf(probe, 'rules_added', at).map((rule) => rule.replace(/ comment .*/, ''))
    const user = idOf(probe, 'user', at)
    const id = idOf(probe, 'resource', at)
    const knock = `probe ${i}: ${formatId(user)} knocks ${formatId(id)}`
    const resource = config.resources.get(id)
    const isChallenged = isAnsweredByGate(config, user, id, bytesOf(probe, 'key', at))
    if (isChallenged !== answers.includes('CHALLENGE')) {
      found.push(`${knock}: ${isChallenged ? 'CHALLENGE' : 'none'} here, ${answers.join()} in the file`)
      continue
    }
    const opens = isChallenged && resource !== undefined && hasItsChains(resource, config)
    const why = opens && !answers.includes('COMEIN') ? whyOpen(resource, rules) : undefined
    if (why !== undefined) note(`${knock}: opens here, ${answers.join()} in the file: ${why}`)
    else if (opens !== answers.includes('COMEIN'))
      found.push(`${knock}: ${opens ? 'opens' : 'does not open'} here, ${answers.join()} in the file`)
    else if (opens) for (const rule of rulesOf(resource)) open.add(rule)
    found.push(...compareFields(`${knock}: rules`, [...open].sort(), rules.sort()))
  }
  return found
}

/** Our gate with this configuration sends a CHALLENGE. */
function isAnsweredByGate(config: ServerConfig, user: number, id: number, key: Uint8Array): boolean {
  const openable = [...config.resources.values()].filter(
    (resource) => (resource.users?.includes(user) ?? true) && !opensControlPort(resource, config.letmein.ports),
  )
  const hear = serve({
    user,
    key: config.users.get(user),
    policy: config.letmein.errorPolicy,
    resources: openable.map((resource) => resource.id),
  })
  const salt = new Uint8Array(8)
  return hear(encodeSigned({ operation: 'KNOCK', user, resource: id, salt }, key, ZERO_AUTH))?.operation === 'CHALLENGE'
}

function hasItsChains({ target }: Resource, { firewall }: ServerConfig): boolean {
  return target.kind === 'ports' || target.jumps.every(({ hook }) => firewall.chain?.[hook] !== undefined)
}

/** Why a knock that letmein's firewall daemon refuses is none that the configuration refuses. */
function whyOpen({ target }: Resource, rules: readonly string[]): string | undefined {
  if (target.kind === 'jump') return 'whether the chain is there is not in the text: the rule manager refuses the knock'
  return rules.length > 0 ? 'leases are no rules here, so max-nr-rules does not bound them' : undefined
}

/** What letmein would add for a knock from 127.0.0.1. */
function rulesOf({ target }: Resource): string[] {
  if (target.kind === 'jump')
    return target.jumps.map(({ chain, matchSource }) => `${matchSource ? 'ip saddr 127.0.0.1 ' : ''}jump ${chain}`)
  const ports = target.ports.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return target.protocols.flatMap((protocol) =>
    ports.map((port) => `ip saddr 127.0.0.1 ${protocol} dport ${port} accept`),
  )
}

function wordsOf(fields: Fields, name: string, where: string): string[] {
  const words = fields[name]
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
    throw wrong(`${where}.${name}`, words, 'a list of texts')
  return words
}
