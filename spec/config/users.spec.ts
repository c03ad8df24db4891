import { expect } from 'chai'
import { oldKeyText } from '../../lib/config/users.js'
import { KEY, KEYS, OTHER, problems, read } from './problems.js'

const UNTIL = '2026-11-29T20:00:00Z'

describe('[USERS]', () => {
  it('gives users names', () => {
    const { people, warnings } = read(`${KEYS}[USERS]\n1 = name: alice\n00000002 = name: bob@laptop`)
    expect([...people]).to.deep.equal([
      [1, { name: 'alice' }],
      [2, { name: 'bob@laptop' }],
    ])
    expect(warnings.filter((warning) => warning.includes('USERS'))).to.deep.equal([])
  })

  for (const [line, wrong] of [
    ['1 = name: 12', /name "12": expected 1–32 of .* a letter first/],
    ['1 = name: deadbeef', /name "deadbeef": expected .* not 8 hex digits/],
    ['1 = alice', /"alice": expected NAME: VALUE between "\/", like name: alice/],
    ['1 = nam: alice', /part "nam": expected one of .*name.*; did you mean "name"\?/],
    ['x = name: alice', /\[USERS\] user "x": expected 1–8 hex digits/],
    ['1 = name: alice\n2 = name: alice', /user 00000002: name "alice": user 00000001 has it/],
    ['1 = name: alice\n01 = name: bob', /user 00000001 is here twice/],
  ] as const)
    it(`refuses ${JSON.stringify(line)}`, () => {
      expect(problems(`${KEYS}[USERS]\n${line}`)).to.have.length(1)
      expect(problems(`${KEYS}[USERS]\n${line}`)[0]).to.match(wrong)
    })

  it('tells of users who have no key', () => {
    expect(read(`${KEYS}[USERS]\n3 = name: carol`).warnings).to.include(
      'posternd.conf:5: [USERS] user 00000003: has no key in [KEYS]',
    )
  })
})

describe('[OLD KEYS]', () => {
  it('holds keys that are valid until a time', () => {
    const { oldKeys } = read(`${KEYS}[OLD KEYS]\n1 = ${OTHER} until ${UNTIL}, ${KEY} until 2026-12-01T00:00:00Z`)
    const keys = oldKeys.get(1)!
    expect(keys.map(oldKeyText)).to.deep.equal([`${OTHER} until ${UNTIL}`, `${KEY} until 2026-12-01T00:00:00Z`])
    expect(keys[0]!.untilMs).to.equal(Date.parse(UNTIL))
  })

  for (const [what, line] of [
    ['no time', `1 = ${OTHER}`],
    ['a time that is none', `1 = ${OTHER} until tomorrow`],
    ['a day that is none', `1 = ${OTHER} until 2026-13-01T00:00:00Z`],
    ['a key that is none', `1 = ${OTHER.slice(1)} until ${UNTIL}`],
    ['a user that is none', `x = ${OTHER} until ${UNTIL}`],
    ['a user twice', `1 = ${OTHER} until ${UNTIL}\n01 = ${KEY} until ${UNTIL}`],
    ['a line without "="', `${OTHER} until ${UNTIL}`],
  ] as const)
    it(`refuses ${what}, and shows no key`, () => {
      const said = problems(`${KEYS}[OLD KEYS]\n${line}`)
      expect(said).to.have.length(1)
      expect(said[0]).to.match(/^posternd.conf:[56]: /)
      expect(said[0]).to.not.include(OTHER.slice(1, 20))
    })

  it('has no power for who has no key of today', () => {
    const { oldKeys, warnings } = read(`${KEYS}[OLD KEYS]\n3 = ${OTHER} until ${UNTIL}`)
    expect(oldKeys.size).to.equal(0)
    expect(warnings.join('\n')).to.match(/user 00000003 has no key in \[KEYS\], so his old ones are dead/)
  })
})
