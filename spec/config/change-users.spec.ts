import { expect } from 'chai'
import fc from 'fast-check'
import { freeId, userNamed, withOldKeys, withoutUser, withResource, withUser } from '../../lib/config/change-users.js'
import { KEY, OTHER, read } from './problems.js'

const FRESH = new Uint8Array(32).fill(0xab)
const GONE_MS = Date.UTC(2026, 10, 23, 8)
const FILE = `# the gate
[KEYS]
# alice's laptop
1 = ${KEY}
00000002 = ${OTHER}
[USERS]
00000001 = name: alice
[OLD KEYS]
00000001 = ${OTHER.replace('4', '5')} until 2026-11-29T20:00:00Z
[RESOURCES]
00000022 = port: 22 / name: ssh / users: 00000001,2 /
           timeout: 30
00000080 = port: 80 /
           users: 1 / name: web
00000090 = port: 90
`

describe('who is in the server’s file', () => {
  const config = read(FILE)

  it('is found by name, and by an id in any form', () => {
    expect(userNamed('alice', config)).to.deep.equal({ kind: 'known', user: 1, name: 'alice' })
    expect(userNamed('1', config)).to.deep.equal({ kind: 'known', user: 1, name: 'alice' })
    expect(userNamed('00000002', config)).to.deep.equal({ kind: 'known', user: 2 })
    expect(userNamed('2a', config)).to.deep.equal({ kind: 'id', user: 0x2a })
    expect(userNamed('bob', config)).to.deep.equal({ kind: 'name', name: 'bob' })
    expect(userNamed('abe', config), 'a name, though its letters are hex digits').to.include({ kind: 'name' })
    for (const word of ['', 'a b', '-x', '2x', '123456789', 'x/y'])
      expect(userNamed(word, config)).to.include({ kind: 'misfit' })
  })

  it('gets the least id that nothing speaks of', () => {
    expect(freeId(config)).to.equal(3)
    expect(freeId(read('[RESOURCES]\n1 = port: 22 / users: 1,2\n[USERS]\n3 = name: x'))).to.equal(4)
    expect(freeId(read('[USERS]\n1 = removed: 2026-11-23T08:00:00Z\n3 = name: x'))).to.equal(2)
  })

  it('does not find who was removed by his name, which may be anybody’s again', () => {
    const gone = read('[USERS]\n1 = removed: 2026-11-23T08:00:00Z / name: alice\n2 = name: bob')
    expect(userNamed('alice', gone)).to.deep.equal({ kind: 'name', name: 'alice' })
    expect(userNamed('1', gone)).to.deep.equal({ kind: 'id', user: 1 })
  })
})

describe('a change of users', () => {
  it('adds one, in his place or new, and nothing else', () => {
    const text = withUser(FILE, 3, FRESH, 'carol')
    expect([...read(text).users.keys()].toSorted()).to.deep.equal([1, 2, 3])
    expect(read(text).people.get(3)).to.deep.equal({ name: 'carol' })
    const without = text.split('\n').filter((row) => !row.startsWith('00000003'))
    expect(without.join('\n')).to.equal(FILE)
    const again = withUser(FILE, 1, FRESH)
    expect(again).to.equal(FILE.replace(`1 = ${KEY}`, `00000001 = ${'AB'.repeat(32)}`))
  })

  it('sets and takes old keys', () => {
    const oldKeys = [{ key: FRESH, untilMs: Date.parse('2026-12-01T00:00:00Z') }]
    expect(read(withOldKeys(FILE, 2, oldKeys)).oldKeys.get(2)).to.deep.equal(oldKeys)
    expect(withOldKeys(FILE, 1, [])).to.not.include('OLD KEYS')
    expect(withOldKeys(FILE, 3, [])).to.equal(FILE)
  })

  it('lets one open what is not for everybody', () => {
    const text = withResource(withResource(withUser(FILE, 3, FRESH), 3, 0x22), 3, 0x80)
    expect(read(text).resources.get(0x22)!.users).to.deep.equal([1, 2, 3])
    expect(read(text).resources.get(0x80)!.users).to.deep.equal([1, 3])
    expect(text).to.include('users: 00000001,2,00000003 /').and.include('users: 1,00000003 / name: web')
    expect(withResource(text, 3, 0x90)).to.equal(text)
    expect(withResource(text, 3, 0x22)).to.equal(text)
  })

  it('takes one out with all that is his, but his id and name', () => {
    const { text, onlyHis } = withoutUser(FILE, 1, { atMs: GONE_MS, name: 'alice' })
    const after = read(text)
    expect([...after.users.keys()]).to.deep.equal([2])
    expect(after.oldKeys.size + after.people.size).to.equal(0)
    expect([...after.removed]).to.deep.equal([[1, { atMs: GONE_MS, name: 'alice' }]])
    expect(text).to.include('\n[USERS]\n00000001 = removed: 2026-11-23T08:00:00Z / name: alice\n')
    expect(after.resources.get(0x22)!.users).to.deep.equal([2])
    expect(onlyHis, 'a list without a user would mean everybody').to.deep.equal(['00000080'])
    expect(after.resources.get(0x80)!.users).to.deep.equal([1])
    expect(text).to.include('# the gate').and.include("# alice's laptop").and.include('timeout: 30')
  })

  it('takes one out whom no [USERS] speaks of, from a file of letmein’s form too, and its line endings stay', () => {
    const file = `[GENERAL]\r\nport = 5800\r\n[KEYS]\r\n1 = ${KEY}\r\n2 = ${OTHER}\r\n[RESOURCES]\r\n1 = port: 22\r\n`
    const { text } = withoutUser(file, 2, { atMs: GONE_MS })
    expect(text).to.equal(
      `${file.replace(`2 = ${OTHER}\r\n`, '')}\r\n[USERS]\r\n00000002 = removed: 2026-11-23T08:00:00Z\r\n`,
    )
    expect(freeId(read(text))).to.equal(3)
  })

  it('takes out whoever was put in: the file means what it meant, but for the id that is gone', () => {
    const users = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(users, fc.integer({ min: 10, max: 0xffff_ffff }), (list, user) => {
        const file = `[KEYS]\n1 = ${KEY}\n[RESOURCES]\n1 = port: 1 / users: ${list.join(', ')} / name: one\n`
        const put = withResource(withUser(file, user, FRESH, 'zoe'), user, 1)
        expect(read(put).resources.get(1)!.users).to.deep.equal([...new Set(list), user])
        const { warnings: _, ...after } = read(withoutUser(put, user, { atMs: GONE_MS }).text)
        const { warnings: __, ...before } = read(file)
        expect(after).to.deep.equal({ ...before, removed: new Map([[user, { atMs: GONE_MS }]]) })
      }),
    )
  })
})
