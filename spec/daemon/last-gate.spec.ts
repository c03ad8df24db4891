import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../lib/config/error.js'
import { readServerConfig } from '../../lib/config/server.js'
import type { ServerConfig } from '../../lib/config/types.js'
import { gateInstead, keepGate, raiseLastGate, refuseEmptied } from '../../lib/daemon/last-gate.js'
import { hostRecord } from '../../lib/daemon/last-gate-chain.js'
import type { Nft } from '../../lib/firewall/nft.js'
import { type Change, FirewallError, type Kernel, type TableShape } from '../../lib/firewall/types.js'

const TEXT = 'define let_in = 0x10000\ntable inet postern {\n\tchain pre {\n\t}\n}\n'
const OURS: TableShape = { handle: 1n, comment: 'postern 1: …', chains: [], sets: [], ruleHandles: [] }
const FOREIGN: TableShape = { handle: 1n, chains: ['input'], sets: [], ruleHandles: [] }

/** A kernel in which this table is, and what nft is given. */
function world(present?: TableShape) {
  const loaded: string[] = []
  const changes: Change[] = []
  const kernel = { shape: () => present, apply: (more: Change[]) => void changes.push(...more) } as unknown as Kernel
  const nft = { load: (text: string) => void loaded.push(text) } as unknown as Nft
  return { loaded, changes, kernel, nft }
}

describe('the last good gate', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gate-'))
    keepGate(folder, TEXT)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('goes up where no table is', () => {
    const { loaded, kernel, nft } = world()
    expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('raised')
    expect(loaded).to.deep.equal([TEXT])
  })

  it('stays as it is within one boot', () => {
    const { loaded, kernel, nft } = world(OURS)
    expect(raiseLastGate(folder, nft, kernel, { keep: true })).to.equal('there')
    expect(loaded).to.deep.equal([])
  })

  it('is made anew at the first start of a boot: a saved ruleset may have brought back leases and spent tokens', () => {
    const { loaded, kernel, nft } = world(OURS)
    expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('raised')
    expect(loaded).to.deep.equal([`delete table inet postern\n${TEXT}`])
  })

  it('never takes the place of somebody else’s table, and does not call that a gate', () => {
    const { loaded, kernel, nft } = world(FOREIGN)
    expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('foreign')
    expect(raiseLastGate(folder, nft, kernel, { keep: true })).to.equal('foreign')
    expect(loaded).to.deep.equal([])
  })

  for (const line of [
    'include "/etc/shadow"',
    'table inet x { } ; include "/etc/shadow"',
    '\tinclude "*"',
    'include\\\n"/etc/shadow"',
  ])
    it(`makes nft read no other file: ${line}`, () => {
      const { loaded, kernel, nft } = world()
      writeFileSync(join(folder, 'gate.nft'), `${TEXT}${line}\n`)
      expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('none')
      expect(loaded).to.deep.equal([])
    })

  it('stands against a file that lost its resources; where nothing was guarded before, such a file is good', () => {
    const emptied = readServerConfig('', 'posternd.conf')
    expect(() => refuseEmptied(emptied, folder)).to.throw(ConfigError, /posternd.conf: .*guarded before.*rm .*gate.nft/)
    refuseEmptied(readServerConfig('[RESOURCES]\n1 = port: 22', 'posternd.conf'), folder)
    rmSync(join(folder, 'gate.nft'))
    refuseEmptied(emptied, folder)
  })

  describe('in chain mode', () => {
    const RULES = { mode: 'chain', chain: { family: 'ip', table: 'filter', input: 'KNOCK' } }
    const sets = ['blocked', 'postern_lease4_0000002A', 'postern_live_0000002A', 'lease4_0000002A']
    const HOST: TableShape = { handle: 1n, chains: ['KNOCK'], sets, ruleHandles: [] }
    beforeEach(() => keepGate(folder, hostRecord({ firewall: RULES } as unknown as ServerConfig)!))

    it('takes the place of a gate that guard mode kept, which may shut what is no more postern’s', () => {
      const { loaded, kernel, nft } = world()
      expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('hostless')
      expect(loaded).to.deep.equal([])
    })

    it('empties postern’s sets of the administrator’s table, and no other', () => {
      const { loaded, changes, kernel, nft } = world(HOST)
      expect(raiseLastGate(folder, nft, kernel, { keep: false })).to.equal('host')
      expect(changes).to.deep.equal(
        sets.slice(1, 3).map((set) => ({ kind: 'flush', set: { family: 2, table: 'filter', set } })),
      )
      expect(loaded).to.deep.equal([])
    })

    it('keeps the leases of this boot', () => {
      const { changes, kernel, nft } = world(HOST)
      expect(raiseLastGate(folder, nft, kernel, { keep: true })).to.equal('host')
      expect(changes).to.deep.equal([])
    })
  })

  it('says why it could not go up, and throws nothing: the start fails for another reason, which is to be told', () => {
    const missing = () => {
      throw new FirewallError('missing', 'nft: no such program')
    }
    expect(gateInstead(missing)).to.match(/could not be put up: nft: no such program/)
    expect(gateInstead(() => 'none')).to.match(/NO GATE IS UP/)
  })
})
