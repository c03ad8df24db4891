import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ServerConfig } from '../../lib/config/types.js'
import { markLeases, outdatedBy } from '../../lib/daemon/leases-mark.js'
import { leaseComment } from '../../lib/firewall/comments.js'
import { type Choices, serverConfig } from '../firewall/support-config.js'

const SSH = 0x16
const WEB = 0x50
const [ALICE, BOB] = [1, 2]
const ADDRESS = '192.0.2.7'
const key = (byte: number) => new Uint8Array(32).fill(byte)

type Keys = readonly (readonly [user: number, today: number, ...old: number[]])[]

function config(keys: Keys, resources: Choices['resources'] = [{ id: SSH }, { id: WEB }]): ServerConfig {
  return {
    ...serverConfig({ resources }),
    users: new Map(keys.map(([user, today]) => [user, key(today)])),
    oldKeys: new Map(keys.map(([user, , ...old]) => [user, old.map((byte) => ({ key: key(byte), untilMs: 1 }))])),
  }
}

const BEFORE = config([
  [ALICE, 10],
  [BOB, 20],
])
const LEASES = {
  'alice’s': { resource: SSH, address: ADDRESS, user: ALICE, comment: leaseComment(ALICE, SSH, ADDRESS, 'own') },
  'bob’s': { resource: WEB, address: ADDRESS, user: BOB, comment: leaseComment(BOB, WEB, ADDRESS, 'own') },
  'the administrator’s': { resource: SSH, address: ADDRESS, comment: leaseComment(undefined, SSH, ADDRESS, 'own') },
  'nobody knows whose': { resource: WEB, address: ADDRESS },
}

describe('the mark of what leases were given by', () => {
  let folder: string
  let mark: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mark-'))
    mark = join(folder, 'leases')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function outdated(after: ServerConfig): string[] {
    const isOutdated = outdatedBy(mark, after)
    return Object.entries(LEASES).flatMap(([whose, lease]) => (isOutdated(lease) ? [whose] : []))
  }

  for (const [change, after, gone] of [
    ['nothing was changed', BEFORE, []],
    [
      'a key was changed and the old one is dead',
      config([
        [ALICE, 11],
        [BOB, 20],
      ]),
      ['alice’s', 'nobody knows whose'],
    ],
    [
      'a key was changed and the old one lives on for a while',
      config([
        [ALICE, 11, 10],
        [BOB, 20],
      ]),
      [],
    ],
    [
      'somebody came',
      config([
        [ALICE, 10],
        [BOB, 20],
        [3, 30],
      ]),
      [],
    ],
    ['somebody went', config([[ALICE, 10]]), ['bob’s', 'nobody knows whose']],
    [
      'a prefix is wider',
      config(
        [
          [ALICE, 10],
          [BOB, 20],
        ],
        [{ id: SSH, prefix: { v4: 24, v6: 56 } }, { id: WEB }],
      ),
      ['alice’s', 'the administrator’s'],
    ],
    [
      'fewer may open a resource: who else may is asked elsewhere',
      config(
        [
          [ALICE, 10],
          [BOB, 20],
        ],
        [{ id: SSH }, { id: WEB, users: [BOB] }],
      ),
      ['nobody knows whose'],
    ],
  ] as const)
    it(`outdates ${gone.join(', ') || 'none'} where ${change}`, () => {
      markLeases(mark, BEFORE)
      expect(outdated(after)).to.deep.equal(gone)
    })

  it('outdates those of a key that was an old one then, and is none now', () => {
    markLeases(mark, config([[ALICE, 11, 10]]))
    expect(outdatedBy(mark, config([[ALICE, 11]]))(LEASES['alice’s'])).to.equal(true)
  })

  it('outdates all that users have where there is none', () => {
    expect(outdated(BEFORE)).to.deep.equal(['alice’s', 'bob’s', 'nobody knows whose'])
  })

  it('says no key, and that to nobody but the monitor', () => {
    markLeases(mark, BEFORE)
    expect(statSync(mark).mode & 0o777).to.equal(0o600)
    expect(readFileSync(mark, 'latin1').toLowerCase()).not.to.include(Buffer.from(key(10)).toString('hex').slice(0, 16))
  })
})
