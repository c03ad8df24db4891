import { expect } from 'chai'
import { ofRefusals } from '../../../lib/cli/daemon/doctor/refusals.js'
import { ofDaemon } from '../../../lib/cli/daemon/doctor/standing.js'
import { listeningPorts } from '../../../lib/cli/daemon/listening-ports.js'
import type { KnockEvent } from '../../../lib/daemon/events.js'
import type { DaemonStatus } from '../../../lib/daemon/status-answer.js'

const NOW = 1_800_000_000_000
const WELL: DaemonStatus = {
  startedMs: NOW - 1000,
  nowMs: NOW,
  horizonMs: NOW + 60_000,
  hearingMs: NOW - 1000,
  untrustedBelowMs: 0,
  listenerAnsweredMsAgo: 100,
  listenerLagMs: 1,
  mode: 'guard',
  file: 'posternd.conf',
  users: 1,
  stanzas: 0,
  resources: 1,
  resourceNames: ['ssh'],
  counters: {},
  leases: [],
}

describe('the doctor, of what the daemon says', () => {
  const cases: [string, Partial<DaemonStatus>, RegExp, RegExp][] = [
    ['listener', { listenerAnsweredMsAgo: 12_000 }, /has not answered for 12 s/, /restart postern/],
    ['untrusted', { untrustedBelowMs: NOW + 30_000 }, /refused for 30 s more/, /postern knock/],
    ['untrusted', { untrustedBelowMs: NOW + 86_400_000 }, /refused for 86400 s more/, /^posternd trust-clock$/],
    ['clock-back', { hearingMs: NOW + 5_000 }, /set back by 5 s/, /restart postern/],
    ['horizon', { horizonMs: NOW - 1 }, /horizon could not be written/, /df -h/],
    ['no-user', { users: 0 }, /no user has a key/, /posternd enroll/],
    ['no-resource', { resources: 0 }, /guards nothing/, /posternd check/],
    ['trial', { trialLeftMs: 60_000 }, /on trial for 60 s more/, /posternd confirm/],
  ]
  it('finds nothing where all is well', () => expect(ofDaemon(WELL)).to.deep.equal([]))
  for (const [code, change, sentence, mend] of cases)
    it(`finds ${code}: ${sentence.source}`, () => {
      const found = ofDaemon({ ...WELL, ...change })
      expect(found.map((one) => one.code)).to.deep.equal([code])
      expect(found[0]!.sentence).to.match(sentence)
      expect(found[0]!.mend).to.match(mend)
    })
})

describe('the doctor, of who was refused', () => {
  const event = (number: number, more: Partial<KnockEvent>): KnockEvent => ({
    number,
    atMs: NOW - 14_000,
    event: 'refused',
    message: 'm',
    address: '192.0.2.7',
    user: '0000000A',
    userName: 'alice',
    reason: 'window',
    detail: 'time 14754 s behind',
    ...more,
  })

  it('says how far the clock is off, and whose', () => {
    const [found] = ofRefusals([event(1, {})], NOW)
    expect(found!.sentence).to.equal(
      'user alice (0000000A) was refused 14 s ago, from 192.0.2.7: its time is too far from ours: compare the clocks (time 14754 s behind)',
    )
    expect(found!.mend).to.match(/^timedatectl set-ntp true/)
  })

  it('does not tell of each user what the untrusted journal refuses to all, nor names a command that cannot help', () => {
    const refused = event(1, { reason: 'untrusted' })
    expect(ofRefusals([refused], NOW, NOW + 30_000)).to.deep.equal([])
    const [later] = ofRefusals([refused], NOW, 0)
    expect(later!.code).to.equal('refused-untrusted')
    expect(later!.mend).to.match(/^postern knock /)
  })

  it('says each user and reason once, the latest first, and nobody who was let in since or long ago', () => {
    const events = [
      event(1, { user: '00000001' }),
      event(2, {}),
      event(3, { reason: 'replayed' }),
      event(4, {}),
      event(5, { user: '00000001', event: 'opened' }),
      event(6, { user: '00000002', atMs: NOW - 3_600_000 }),
    ]
    expect(ofRefusals(events, NOW).map(({ code }) => code)).to.deep.equal(['refused-window', 'refused-replayed'])
  })

  it('says what the monitor refused in its own words', () => {
    const message = 'refused (the user has as many leases as he may have): open ssh for 192.0.2.7, user alice'
    const { detail: _, ...plain } = event(1, { reason: 'user-limit', message })
    expect(ofRefusals([plain], NOW)[0]!.sentence).to.match(/: the user has as many leases as he may have$/)
  })
})

describe('the doctor, of services', () => {
  it('reads ports of listening sockets, of both families', () => {
    const row = (at: string, port: string, state: string) =>
      `   ${at}: 00000000:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0`
    const six = `   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 0`
    const tcp = ['  sl  local_address rem_address   st', row('0', '0016', '0A'), row('1', 'C350', '01'), six, ''].join(
      '\n',
    )
    const { tcp: ports, udp } = listeningPorts({ tcp, udp: `${row('12', '14E9', '07')}\n` })
    expect([...ports]).to.deep.equal([22, 443])
    expect([...udp]).to.deep.equal([5353])
  })
})
