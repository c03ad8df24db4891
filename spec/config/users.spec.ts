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

  it('says when and for which addresses they may knock', () => {
    const line =
      '1 = name: alice / until: 2027-03-31 / hours: mon-fri 08:00-18:00, Sat 10:00-24:00 / from: 192.0.2.0/24, 2001:db8::/32'
    expect(read(`${KEYS}[USERS]\n${line}`).people.get(1)).to.deep.equal({
      name: 'alice',
      untilMs: new Date(2027, 3, 1).getTime(),
      hours: [
        { days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1080 },
        { days: [6], fromMinute: 600, toMinute: 1440 },
      ],
      networks: ['192.0.2.0/24', '2001:db8::/32'],
    })
    const of = (parts: string) => read(`${KEYS}[USERS]\n1 = ${parts}`).people.get(1)
    expect(of('until: 2027-03-31T20:00:00Z')).to.deep.equal({ untilMs: Date.UTC(2027, 2, 31, 20) })
    expect(of('hours: fri-mon 00:00-06:00')?.hours?.[0]?.days).to.deep.equal([5, 6, 0, 1])
    expect(of('hours: 22:00-24:00')?.hours?.[0]?.days).to.deep.equal([0, 1, 2, 3, 4, 5, 6])
  })

  for (const [line, wrong] of [
    ['1 = hours:', /hours: expected one at least; without the part it is any/],
    ['1 = from:', /from: expected one at least/],
    ['1 = until: soon', /until "soon": expected his last day, like 2027-03-31/],
    ['1 = until: 2027-02-30', /until "2027-02-30": expected his last day/],
    [
      '1 = hours: 22:00-06:00',
      /hours "22:00-06:00": expected days and hours of the server.*after midnight is the next day/,
    ],
    ['1 = hours: mon-fry 08:00-18:00', /expected days and hours/],
    ['1 = hours: 08:00-24:01', /expected days and hours/],
    ['1 = from: 192.0.2.1/24', /from "192.0.2.1\/24": expected the network itself, 192.0.2.0\/24/],
    ['1 = name: 12', /name "12": expected 1–32 of .* a letter first/],
    ['1 = name: deadbeef', /name "deadbeef": expected .* not 8 hex digits/],
    ['1 = alice', /"alice": expected NAME: VALUE between "\/", like name: alice/],
    ['1 = nam: alice', /part "nam": expected one of .*name.*; did you mean "name"\?/],
    ['x = name: alice', /\[USERS\] user "x": expected 1–8 hex digits/],
    ['1 = name: alice\n2 = name: alice', /user 00000002: name "alice": user 00000001 has it/],
    ['1 = name: alice\n01 = name: bob', /user 00000001 is here twice/],
    ['3 = removed: 2026-11-23T08:00:00Z\n03 = name: bob', /user 00000003 is here twice/],
    ['3 = removed: yes', /removed "yes": expected a time in UTC, like 2026-11-29T20:00:00Z/],
    ['3 = removed: 2026-11-23T08:00:00Z / until: 2027-03-31', /until: expected removed: and name: alone/],
    ['1 = removed: 2026-11-23T08:00:00Z', /user 00000001: was removed, and has a key in \[KEYS\]: expected one of/],
  ] as const)
    it(`refuses ${JSON.stringify(line)}`, () => {
      expect(problems(`${KEYS}[USERS]\n${line}`)).to.have.length(1)
      expect(problems(`${KEYS}[USERS]\n${line}`)[0]).to.match(wrong)
    })

  it('says who was removed, when and what his name was, which may be anybody’s again', () => {
    const { people, removed, warnings } = read(
      `${KEYS}[USERS]\n1 = name: alice\n3 = removed: 2026-11-23T08:00:00Z / name: alice\n4 = removed: 2026-11-24T08:00:00Z`,
    )
    expect([...people.keys()]).to.deep.equal([1])
    expect([...removed]).to.deep.equal([
      [3, { atMs: Date.UTC(2026, 10, 23, 8), name: 'alice' }],
      [4, { atMs: Date.UTC(2026, 10, 24, 8) }],
    ])
    expect(warnings.filter((warning) => warning.includes('USERS'))).to.deep.equal([])
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
