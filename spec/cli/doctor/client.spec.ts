import { expect } from 'chai'
import { judgeKnock } from '../../../lib/cli/doctor/knock.js'
import type { Examined } from '../../../lib/client/examine.js'
import type { Look } from '../../../lib/client/try-port.js'

const V4 = { address: '192.0.2.1', family: 4 } as const
const V6 = { address: '2001:db8::1', family: 6 } as const
const ABOUT = {
  host: 'gate',
  address: 'gate.example.org',
  compare: 'user 0000000A with key check 01234567',
  mend: 'posternd doctor',
  canRevoke: true,
  controlPort: 5800,
  nowMs: 1_800_000_000_000,
}
const REFUSED: Look = { kind: 'refused' }
const OPEN: Look = { kind: 'open' }
const SILENT: Look = { kind: 'silent' }

function examined(...looks: [typeof V4 | typeof V6, number, Look, Look][]): Examined {
  return {
    destinations: [V4, V6],
    seen: looks.map(([to, port, before, after]) => ({ to, port, before, after })),
    sendings: [{ outgoing: { bytes: new Uint8Array(), to: V4, port: 5800 } }],
  }
}

describe('what a knock that was looked at means', () => {
  const cases: [string, Examined, string[]][] = [
    ['all open', examined([V4, 22, REFUSED, OPEN], [V6, 22, REFUSED, OPEN]), []],
    ['one family', examined([V4, 22, REFUSED, OPEN], [V6, 22, REFUSED, REFUSED]), ['one-address']],
    [
      'one family that this machine has not',
      examined([V4, 22, REFUSED, OPEN], [V6, 22, REFUSED, { kind: 'unreachable' }]),
      [],
    ],
    ['one port of two', examined([V4, 22, REFUSED, OPEN], [V4, 80, REFUSED, REFUSED]), ['one-port']],
    ['none, refused', examined([V4, 22, REFUSED, REFUSED]), ['shut']],
    ['none, silent', examined([V4, 22, SILENT, SILENT]), ['shut']],
    [
      'none, and no way there',
      examined([V4, 22, SILENT, { kind: 'unreachable', code: 'EHOSTUNREACH' }]),
      ['unreachable'],
    ],
    [
      'none, and this machine lets nothing out',
      examined([V4, 22, SILENT, { kind: 'blocked', code: 'EPERM' }]),
      ['blocked-here'],
    ],
    ['no port to look at', examined(), []],
  ]
  for (const [what, seen, codes] of cases)
    it(`${what}: ${codes.join(', ') || 'nothing'}`, () => {
      const { findings } = judgeKnock(seen, ABOUT)
      expect(findings.map(({ code }) => code)).to.deep.equal(codes)
      for (const { sentence, mend } of findings) {
        expect(sentence).not.to.match(/\n|undefined/)
        expect(mend).not.to.equal('')
      }
    })

  it('tells what to compare: time, user and key check, and which answer came', () => {
    const [found] = judgeKnock(examined([V4, 22, REFUSED, REFUSED], [V6, 22, SILENT, SILENT]), ABOUT).findings
    expect(found!.sentence).to.contain('192.0.2.1: refused, 2001:db8::1: no answer')
    expect(found!.sentence)
      .to.contain('2027-01-15T08:00:00.000Z')
      .and.to.contain('user 0000000A with key check 01234567')
    expect(found!.mend).to.equal(ABOUT.mend)
  })

  it('names the host to ssh as ssh knows it', () => {
    const [found] = judgeKnock(examined([V4, 22, REFUSED, OPEN], [V6, 22, REFUSED, REFUSED]), ABOUT).findings
    expect(found!.mend).to.equal('ssh -4 gate.example.org')
  })

  it('knows clock or realm by the exchange that got in', () => {
    const [found] = judgeKnock(examined([V4, 22, REFUSED, REFUSED]), { ...ABOUT, exchangeGotIn: true }).findings
    expect(found!.code).to.equal('clock-or-realm')
  })

  it('says that an open port may have been open before', () => {
    expect(judgeKnock(examined([V4, 22, OPEN, OPEN]), ABOUT).notes.join()).to.match(/was open before the knock/)
  })

  it('says which error kept the knock here', () => {
    const error = Object.assign(new Error('no'), { code: 'EPERM' })
    const all = examined([V4, 22, REFUSED, REFUSED])
    const failed = { ...all, sendings: all.sendings.map((sending) => ({ ...sending, error })) }
    expect(judgeKnock(failed, ABOUT).findings.map(({ code }) => code)).to.deep.equal(['blocked-here'])
  })
})
