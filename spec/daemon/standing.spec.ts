import { expect } from 'chai'
import type { Person, ServerConfig } from '../../lib/config/types.js'
import { performWelcome } from '../../lib/daemon/recheck.js'
import { standingOf } from '../../lib/daemon/standing.js'
import type { LeaseRequest } from '../../lib/firewall/types.js'
import { serverConfig } from '../firewall/support-config.js'

/** Thursday, in whatever time zone this runs. */
const at = (hour: number, minute = 0, day = 19) => new Date(2026, 10, day, hour, minute).getTime()
const OFFICE: Person = { hours: [{ days: [1, 2, 3, 4, 5], fromMinute: 8 * 60, toMinute: 18 * 60 }] }
const HERE = '192.0.2.7'

describe('a user’s standing', () => {
  it('is without bounds where the file says nothing', () => {
    const forEver = { kind: 'welcome', untilMs: Number.POSITIVE_INFINITY }
    expect(standingOf(undefined, HERE, 0)).to.deep.equal(forEver)
    expect(standingOf({ name: 'alice' }, HERE, 0)).to.deep.equal(forEver)
  })

  it('ends with his time, to the millisecond', () => {
    expect(standingOf({ untilMs: 5 }, HERE, 4)).to.deep.equal({ kind: 'welcome', untilMs: 5 })
    expect(standingOf({ untilMs: 5 }, HERE, 5)).to.deep.equal({ kind: 'refused', why: 'user-expired' })
  })

  it('is good within his hours, up to their end', () => {
    expect(standingOf(OFFICE, HERE, at(7, 59)).kind).to.equal('refused')
    expect(standingOf(OFFICE, HERE, at(8))).to.deep.equal({ kind: 'welcome', untilMs: at(18) })
    expect(standingOf(OFFICE, HERE, at(17, 59))).to.deep.equal({ kind: 'welcome', untilMs: at(18) })
    expect(standingOf(OFFICE, HERE, at(18))).to.deep.equal({ kind: 'refused', why: 'user-hours' })
    expect(standingOf(OFFICE, HERE, at(12, 0, 21)), 'Saturday').to.deep.equal({ kind: 'refused', why: 'user-hours' })
    const both = { ...OFFICE, untilMs: at(9) }
    expect(standingOf(both, HERE, at(8))).to.deep.equal({ kind: 'welcome', untilMs: at(9) })
  })

  it('ends within the hour where the clock, set back in autumn, has that hour twice', () => {
    const zone = process.env['TZ']
    process.env['TZ'] = 'America/New_York'
    const night: Person = { hours: [{ days: [0], fromMinute: 30, toMinute: 105 }] }
    const end = Date.UTC(2026, 10, 1, 6, 45)
    expect(standingOf(night, HERE, Date.UTC(2026, 10, 1, 6, 30, 5))).to.deep.equal({ kind: 'welcome', untilMs: end })
    expect(standingOf(night, HERE, end).kind).to.equal('refused')
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })

  it('goes on over midnight where the next day’s hours follow at once, and for ever where they always do', () => {
    const night: Person = {
      hours: [
        { days: [4], fromMinute: 22 * 60, toMinute: 24 * 60 },
        { days: [5], fromMinute: 0, toMinute: 6 * 60 },
        { days: [5], fromMinute: 7 * 60, toMinute: 8 * 60 },
      ],
    }
    expect(standingOf(night, HERE, at(23))).to.deep.equal({ kind: 'welcome', untilMs: at(6, 0, 20) })
    const always: Person = { hours: [{ days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 0, toMinute: 24 * 60 }] }
    expect(standingOf(always, HERE, at(23))).to.deep.equal({ kind: 'welcome', untilMs: Number.POSITIVE_INFINITY })
    const [, ...workdays] = always.hours![0]!.days
    const week: Person = { hours: [{ days: workdays, fromMinute: 0, toMinute: 24 * 60 }] }
    expect(standingOf(week, HERE, at(23))).to.deep.equal({ kind: 'welcome', untilMs: at(0, 0, 22) })
  })

  it('ends to the minute within its hours wherever a clock is set back or forward', () => {
    const zone = process.env['TZ']
    const hours = [
      { days: [0, 6], fromMinute: 30, toMinute: 105 },
      { days: [0], fromMinute: 105, toMinute: 150 },
      { days: [0, 1], fromMinute: 1380, toMinute: 1440 },
    ]
    const isWelcome = (ms: number) => standingOf({ hours }, HERE, ms).kind === 'welcome'
    for (const [name, middle] of [
      ['America/New_York', Date.UTC(2026, 2, 8, 7)],
      ['America/New_York', Date.UTC(2026, 10, 1, 6)],
      ['Europe/Berlin', Date.UTC(2026, 2, 29, 1)],
      ['Australia/Lord_Howe', Date.UTC(2026, 3, 4, 15)],
      ['Australia/Lord_Howe', Date.UTC(2026, 9, 3, 15, 30)],
    ] as const) {
      process.env['TZ'] = name
      for (let ms = middle - 6 * 3_600_000 + 5000; ms < middle + 26 * 3_600_000; ms += 7 * 60_000) {
        const standing = standingOf({ hours }, HERE, ms)
        if (standing.kind !== 'welcome') continue
        const where = `${name}, ${new Date(ms).toISOString()} to ${new Date(standing.untilMs).toISOString()}`
        expect(isWelcome(standing.untilMs), where).to.equal(false)
        for (let then = ms; then < standing.untilMs; then += 60_000) expect(isWelcome(then), where).to.equal(true)
      }
    }
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })

  it('is good for addresses of his networks alone', () => {
    const person = { networks: ['192.0.2.0/25', '2001:db8::/32'] }
    for (const [address, kind] of [
      [HERE, 'welcome'],
      ['192.0.2.128', 'refused'],
      ['2001:db8:ffff::1', 'welcome'],
      ['2001:db9::1', 'refused'],
    ] as const)
      expect(standingOf(person, address, 0).kind, address).to.equal(kind)
  })
})

describe('the monitor', () => {
  const config = (people: [number, Person][]): ServerConfig => ({
    ...serverConfig({ resources: [{ id: 0x16, timeoutMs: 30_000 }] }),
    people: new Map(people),
  })
  const open = (user: number, lifetimeMs = 0): LeaseRequest => ({
    operation: 'open',
    user,
    resource: 0x16,
    address: HERE,
    lifetimeMs,
  })
  const ask = (requests: readonly LeaseRequest[], of: ServerConfig, wallMs: number) => {
    const passed: LeaseRequest[] = []
    const outcomes = performWelcome(requests, of, wallMs, (some) => {
      passed.push(...some)
      return some.map(() => ({ kind: 'opened', remainingMs: 1 }))
    })
    return { passed, outcomes }
  }

  it('cuts a lease to what is left of the user’s time, also where the knock names no lifetime', () => {
    const { passed } = ask([open(1), open(1, 500), open(2)], config([[1, { untilMs: 1000 }]]), 0)
    expect(passed.map(({ lifetimeMs }) => lifetimeMs)).to.deep.equal([1000, 500, 0])
  })

  it('refuses by itself what the listener should have refused, and keeps the order of the answers', () => {
    const { passed, outcomes } = ask([open(2), open(1), open(2)], config([[1, { untilMs: 1000 }]]), 1000)
    expect(passed).to.have.length(2)
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['opened', 'refused', 'opened'])
    expect(outcomes[1]).to.include({ detail: 'the user’s time is over ([USERS] until)' })
  })

  it('lets the administrator open, and everybody revoke', () => {
    const { user: _, ...admin } = open(1)
    const { passed } = ask([admin, { ...open(1), operation: 'revoke' }], config([[1, { untilMs: 1 }]]), 5)
    expect(passed).to.have.length(2)
  })

  it('opens nothing for a stanza of fwknop’s that has expired, whatever the listener asks', () => {
    const stanza = { user: 0xf1000000, title: 'access.conf:1', expiresMs: 1000 }
    const settings = { stanzas: [stanza, { ...stanza, user: 0xf1000001, expiresMs: undefined }] }
    const of = { ...config([]), fwknop: { settings } } as unknown as ServerConfig
    const requests = [open(0xf1000000), open(0xf1000001), open(1)]
    expect(ask(requests, of, 999).passed).to.deep.equal(requests)
    const { passed, outcomes } = ask(requests, of, 1000)
    expect(passed).to.deep.equal(requests.slice(1))
    expect(outcomes[0]).to.deep.include({ kind: 'refused', why: 'user', detail: 'fwknop: the stanza has expired' })
  })
})
