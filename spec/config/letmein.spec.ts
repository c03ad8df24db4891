/**
 * letmein's files, read as they are: the same verdict and the same meaning for every file of the vectors, but for the
 * deviations that are listed here, each with its reason.
 */
import { expect } from 'chai'
import { readClientConfig } from '../../lib/config/client.js'
import { ConfigError } from '../../lib/config/error.js'
import { judgeReaders, judgeWriters, type Reader } from '../../lib/config/permissions.js'
import { decodeUtf8 } from '../../lib/config/read-file.js'
import { opensControlPort } from '../../lib/config/resources.js'
import { readServerConfig } from '../../lib/config/server.js'
import type { Resource, ServerConfig } from '../../lib/config/types.js'
import { formatId, parseId } from '../../lib/wire/ids.js'
import { bytesOf, type Configuration, configurations } from './vectors.js'

/** Files of which postern says something else than letmein (the server: than letmeind and letmeinfwd together). */
const OTHER_VERDICT: Readonly<Record<string, readonly ['accepted' | 'refused', string]>> = {
  'empty file': ['accepted', 'guard mode needs no [NFTABLES]; letmeinfwd misses it, letmeind does not'],
  'only comments and blank lines': ['accepted', 'as the empty file'],
  'control port: 0': ['refused', 'postern binds nothing, so no kernel could choose a free port'],
  'resource: two ports': ['accepted', 'a resource of postern may have several ports and ranges'],
  'nft chain that does not exist': ['accepted', 'the text cannot tell: the rule manager refuses it at the start'],
  'nft program not found': ['accepted', 'the text cannot tell: the daemon refuses it at the start'],
  'world readable': ['refused', 'keys that others can read are refused by the daemon; letmein warns'],
  'group and world writable': ['refused', 'keys that others can write are refused; letmein warns'],
  'owner is not root': ['refused', 'its owner could write it; letmein warns'],
  'client: world writable file': ['refused', 'keys that others can write are refused; letmein warns'],
}

/** Probes with another end than letmein's, for the same file. */
const OTHER_MEANING: Readonly<Record<string, string>> = {
  'max-nr-rules 2: one for the control port, one lease':
    'leases are no rules: [LIMITS] leases-per-user and "leases:" bound them, max-nr-rules is a warning',
  'jump: target chain does not exist': 'the text cannot tell: the rule manager refuses the knock',
}

const OWNER: Reader = { role: 'daemon', uid: 0, groups: [0] }

describe("letmein's configuration files", () => {
  it('are all tried, and every deviation is of a file that is there', () => {
    expect(configurations).to.have.length(126)
    const names = configurations.map(({ name }) => name)
    for (const name of [...Object.keys(OTHER_VERDICT), ...Object.keys(OTHER_MEANING)]) expect(names).to.include(name)
  })

  for (const [index, vector] of configurations.entries()) {
    const theirs = [vector.letmeind, vector.letmeinfwd, vector.letmein].includes('refused') ? 'refused' : 'accepted'
    const [expected, reason] = OTHER_VERDICT[vector.name] ?? [theirs, undefined]
    it(`${index}: ${vector.name}: ${expected}${reason === undefined ? '' : ` (${reason})`}`, () => {
      if (reason !== undefined) expect(expected).to.not.equal(theirs)
      const read = vector.program === 'server' ? readServer : readClient
      if (expected === 'refused') expect(() => read(vector)).to.throw(ConfigError, /^.*letmeind?\.conf(:\d+)?: /)
      else if (vector.program === 'server') expectSameServer(vector, readServer(vector))
      else expectSameClient(vector, readClient(vector))
    })
  }
})

/** As the daemon does it: who may read and write the file, then what it says. */
function readServer(vector: Configuration): ServerConfig {
  const facts = { mode: Number.parseInt(vector.mode ?? '0640', 8), uid: vector.owner_uid ?? 0, gid: 0 }
  const judgement = judgeWriters('letmeind.conf', facts, OWNER) ?? judgeReaders('letmeind.conf', facts, OWNER)
  if (judgement?.refused)
    throw new ConfigError([{ file: 'letmeind.conf', line: 0, message: judgement.message }], 'permission')
  return readServerConfig(decodeUtf8(bytesOf(vector), 'letmeind.conf'), 'letmeind.conf')
}

function readClient(vector: Configuration) {
  const facts = { mode: Number.parseInt(vector.mode ?? '0644', 8), uid: 1000, gid: 1000 }
  const user: Reader = { role: 'client', uid: 1000, groups: [1000] }
  const judgement = judgeWriters('letmein.conf', facts, user)
  if (judgement?.refused)
    throw new ConfigError([{ file: 'letmein.conf', line: 0, message: judgement.message }], 'permission')
  return readClientConfig(decodeUtf8(bytesOf(vector), 'letmein.conf'), 'letmein.conf')
}

function expectSameServer(vector: Configuration, config: ServerConfig): void {
  if (vector.control_port !== undefined) expect(config.letmein.ports).to.deep.equal(vector.control_port)
  if (OTHER_MEANING[vector.name] !== undefined) return
  const open = new Set<string>()
  for (const probe of vector.probes ?? []) {
    const user = parseId(probe.user)!
    const key = config.users.get(user)
    const isAuthentic = key !== undefined && Buffer.from(key).toString('hex') === probe.key
    const resource = config.resources.get(parseId(probe.resource)!)
    const isAllowed = resource?.users?.includes(user) ?? resource !== undefined
    const opens = isAuthentic && isAllowed && isOpenable(resource!, config)
    expect(opens, `${probe.user} knocks ${probe.resource}`).to.equal(probe.answers.includes('COMEIN'))
    if (opens) for (const rule of rulesOf(resource!)) open.add(rule)
    expect(probe.rules_added.map((rule) => rule.replace(/ comment .*/, '')).sort()).to.deep.equal([...open].sort())
  }
}

function isOpenable(resource: Resource, config: ServerConfig): boolean {
  if (opensControlPort(resource, config.letmein.ports)) return false
  const { target } = resource
  return target.kind === 'ports' || target.jumps.every(({ hook }) => config.firewall.chain?.[hook] !== undefined)
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

function expectSameClient(vector: Configuration, config: ReturnType<typeof readClientConfig>): void {
  expect(formatId(config.defaultUser)).to.equal(vector.default_user)
  for (const command of vector.commands ?? []) {
    const [sent] = command.sent
    const words = command.arguments
    const at = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined)
    const user = parseId(at('-u') ?? formatId(config.defaultUser))!
    const port = Number(words.at(-1))
    const mapped = [...config.resources.values()].find(
      ({ target, users }) =>
        target.kind === 'ports' && target.ports.some(({ first }) => first === port) && (users?.includes(user) ?? true),
    )
    const resource = at('-r') === undefined ? mapped?.id : parseId(at('-r')!)
    const knocks = resource !== undefined && config.users.has(user)
    expect(knocks, words.join(' ')).to.equal(sent !== undefined)
    if (sent === undefined) continue
    expect([formatId(user), formatId(resource!)]).to.deep.equal([sent.user, sent.resource])
    if (!words.includes('-P')) expect(config.port.udp).to.equal(sent.port)
    if (!words.includes('-U') && !words.includes('-T')) expect(config.port.protocols[0]).to.equal(sent.transport)
  }
}
