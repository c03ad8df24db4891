/**
 * letmein's configurations mean in the kernel what letmein makes of them: each knock that letmeind answers with COMEIN gets
 * the rules that letmeinfwd would have (spec/vectors/letmein.json, `configurations`, `rules_added`).
 */
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { readServerConfig } from '../../lib/config/server.js'
import type { ServerConfig } from '../../lib/config/types.js'
import { parseId } from '../../lib/wire/ids.js'
import { configurations, type Probe } from '../config/vectors.js'
import { type Lab, openLab } from '../support/lab.js'
import { type ManagerHost, managerIn } from './support-manager.js'

const SOURCE = '127.0.0.1'

describe('letmein’s configurations in the kernel', () => {
  let lab: Lab
  let host: ManagerHost
  before(async () => {
    lab = await openLab()
    host = await managerIn(lab)
  })
  after(() => lab.close())

  for (const [name, config, probes] of distinct())
    it(name, async () => {
      await lab.server.must(['nft', '-f', '-'], { input: `flush ruleset\n${hostRuleset(config)}` })
      await host.make(config)
      await host.manager.start({ keep: false })
      for (const { user, resource, answers, rules_added: rules } of probes) {
        const request = { operation: 'open', user: parseId(user)!, resource: parseId(resource)! } as const
        const [outcome] = await host.manager.perform([{ ...request, address: SOURCE, lifetimeMs: 0 }])
        expect(outcome!.kind !== 'refused').to.equal(answers.includes('COMEIN'))
        const listed = await lab.server.must(['nft', 'list', 'table', config.firewall.chain!.family, 'filter'])
        expect(rulesIn(listed)).to.deep.equal(rules.map((rule) => rule.replace(/ comment .*/, '')).sort())
        for (const rule of rules) expect(listed).to.match(ourComment(rule))
      }
      await host.manager.remove()
    })
})

/** One of those that mean the same, and the probes that show what it means. */
function distinct(): [string, ServerConfig, readonly Probe[]][] {
  const found = new Map<string, [string, ServerConfig, readonly Probe[]]>()
  for (const { name, program, file, letmeinfwd, probes = [] } of configurations) {
    if (program !== 'server' || file === undefined || letmeinfwd !== 'accepted') continue
    const config = read(file)
    // Leases are no rules here, so max-nr-rules does not bound them; what only the gate refuses is not asked here.
    const asked = probes.filter(({ answers }) => answers.includes('CHALLENGE') && !/max-nr-rules/.test(name))
    if (config === undefined || config.firewall.mode !== 'chain' || asked.length === 0) continue
    // A lease of no time at all may be gone again when it is looked at.
    if ([...config.resources.values()].some(({ timeoutMs }) => timeoutMs < 1000)) continue
    const resources = [...config.resources.values()].map(({ line: _, ...resource }) => resource)
    const meaning = JSON.stringify([config.firewall.chain, resources, asked.map((probe) => ({ ...probe, key: '' }))])
    if (!found.has(meaning)) found.set(meaning, [name, config, asked])
  }
  return [...found.values()]
}

function read(file: string): ServerConfig | undefined {
  try {
    return readServerConfig(file, 'letmeind.conf')
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}

/** The chains that the configuration names, empty, and the targets that were there when letmein was asked. */
function hostRuleset({ firewall: { chain } }: ServerConfig): string {
  const names = [chain!.input, chain!.forward, chain!.output, 'TGT-IN', 'TGT-FWD', 'TGT-OUT']
  const chains = names.filter((name) => name !== undefined).map((name) => `  chain ${name} { }\n`)
  return `table ${chain!.family} ${chain!.table} {\n${chains.join('')}}\n`
}

/** What our rules, with the elements of their sets, say of this source: in the words of letmein's own rules. */
function rulesIn(listed: string): string[] {
  const members = new Map(
    [...listed.matchAll(/set (\S+) \{[^}]*elements = \{ ([^}]*)\}/g)].map(([, set, elements]) => [set!, elements!]),
  )
  const has = (set: string, key: string) =>
    members
      .get(set)
      ?.split(/[\s,]+/)
      .includes(key) === true
  const rules: string[] = []
  for (const line of listed.split('\n').map((one) => one.trim())) {
    const [, leases, match, ports] =
      /^ip saddr @(\S+) (.* dport) (?:\{ )?(.*?)(?: \})? ct .*accept comment/.exec(line) ?? []
    if (leases !== undefined && has(leases, SOURCE))
      for (const protocol of ['tcp', 'udp'].filter((one) => match!.includes(one)))
        for (const port of ports!.split(', ')) rules.push(`ip saddr ${SOURCE} ${protocol} dport ${port} accept`)
    const [, sources, bySource] = /^ip saddr @(\S+) jump (\S+) comment/.exec(line) ?? []
    if (sources !== undefined && has(sources, SOURCE)) rules.push(`ip saddr ${SOURCE} jump ${bySource}`)
    const [, live, forAll] = /^meta protocol @(\S+) jump (\S+) comment/.exec(line) ?? []
    if (live !== undefined && has(live, 'ip')) rules.push(`jump ${forAll}`)
  }
  return rules.sort()
}

/** letmein's comment of a rule, as it is in ours: without the address, which the lease's own comment has. */
function ourComment(rule: string): RegExp {
  const [, address, rest] = /comment "([^/]*)\/(.*)"/.exec(rule)!
  expect(address).to.equal(`::ffff:${SOURCE}`)
  const words = rest!.replace(/^port\//, '[0-9A-F]{8}/port/').replace(/\/(TCP|UDP)\//, '/(TCP,UDP|$1)/')
  return new RegExp(`comment "postern/${words}"`)
}
