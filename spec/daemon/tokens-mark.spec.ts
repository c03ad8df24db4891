import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ServerConfig } from '../../lib/config/types.js'
import { areSameTokens, markTokens, tokensId } from '../../lib/daemon/tokens-mark.js'
import { deriveUserKeys } from '../../lib/daemon/user-keys.js'
import { serverConfig } from '../firewall/support-config.js'

const key = (byte: number) => new Uint8Array(32).fill(byte)
const config = (users: readonly (readonly [number, Uint8Array])[], named?: readonly number[]): ServerConfig => ({
  ...serverConfig({ resources: [{ id: 0x16, instant: true, ...(named && { users: named }) }] }),
  users: new Map(users),
})
const idOf = (of: ServerConfig) => tokensId(deriveUserKeys(of), of)
const BOTH = config([
  [1, key(1)],
  [2, key(2)],
])

describe('the mark of the tokens in the kernel', () => {
  it('is the same for the same keys and rights', () => {
    expect(idOf({ ...BOTH, people: new Map([[1, { name: 'alice' }]]) })).to.equal(idOf(BOTH))
  })

  for (const [change, other] of [
    ['a user is gone', config([[1, key(1)]])],
    [
      'a key was changed',
      config([
        [1, key(1)],
        [2, key(3)],
      ]),
    ],
    [
      'a user may no more open it',
      config(
        [
          [1, key(1)],
          [2, key(2)],
        ],
        [1],
      ),
    ],
    ['a user’s time ends', { ...BOTH, people: new Map([[1, { untilMs: 1 }]]) }],
    ['a user has hours', { ...BOTH, people: new Map([[1, { hours: [] }]]) }],
  ] as const)
    it(`is another one where ${change}`, () => expect(idOf(other)).not.to.equal(idOf(BOTH)))

  it('is known again where it lies, and not where there is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
    const path = join(folder, 'tokens')
    expect(areSameTokens(path, idOf(BOTH))).to.equal(false)
    markTokens(path, idOf(BOTH))
    expect(areSameTokens(path, idOf(BOTH))).to.equal(true)
    expect(areSameTokens(path, idOf(config([])))).to.equal(false)
    rmSync(folder, { recursive: true })
  })
})
