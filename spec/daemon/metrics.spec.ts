import { expect } from 'chai'
import { metricsText } from '../../lib/daemon/metrics.js'
import { REASON_LIST } from '../../lib/daemon/reasons.js'
import type { DaemonStatus } from '../../lib/daemon/status-answer.js'
import { parseMetrics } from './prometheus.js'

const STATUS: DaemonStatus = {
  startedMs: 1_800_000_000_000,
  nowMs: 1_800_000_100_000,
  horizonMs: 1_800_000_200_500,
  hearingMs: 1_800_000_000_250,
  untrustedBelowMs: 0,
  listenerAnsweredMsAgo: 1500,
  listenerLagMs: 2,
  mode: 'guard',
  file: '/etc/postern/posternd.conf',
  users: 3,
  stanzas: 0,
  resources: 3,
  resourceNames: ['ssh', '00000002', 'a "b" \\ c'],
  counters: { opened: 7, 'refused replayed': 2, instant: 1 },
  leases: [
    { resource: 1, resourceName: 'ssh', address: '192.0.2.7', remainingMs: 1 },
    { resource: 1, resourceName: 'ssh', address: '192.0.2.8', remainingMs: 1 },
  ],
}

describe('the figures for Prometheus', () => {
  const values = parseMetrics(metricsText(STATUS, '1.0.0'))

  it('are leases by resource, those without one too', () => {
    expect(values.get('postern_leases{resource="ssh"}')).to.equal(2)
    expect(values.get('postern_leases{resource="00000002"}')).to.equal(0)
    expect(values.get('postern_leases{resource="a "b" \\ c"}')).to.equal(0)
  })

  it('are what became of knocks, and each reason of refusing them', () => {
    expect(values.get('postern_requests_total{outcome="opened"}')).to.equal(7)
    expect(values.get('postern_requests_total{outcome="revoked"}')).to.equal(0)
    expect(values.get('postern_refused_total{reason="replayed"}')).to.equal(2)
    for (const reason of REASON_LIST)
      expect(values.has(`postern_refused_total{reason="${reason}"}`), reason).to.equal(true)
  })

  it('are times in seconds, and the state of journal, horizon and listener', () => {
    expect(values.get('postern_up')).to.equal(1)
    expect(values.get('postern_info{version="1.0.0",mode="guard"}')).to.equal(1)
    expect(values.get('postern_start_time_seconds')).to.equal(1_800_000_000)
    expect(values.get('postern_horizon_timestamp_seconds')).to.equal(1_800_000_200.5)
    expect(values.get('postern_accepts_from_timestamp_seconds')).to.equal(1_800_000_000.25)
    expect(values.get('postern_replay_journal_trusted')).to.equal(1)
    expect(values.get('postern_listener_lag_seconds')).to.equal(0.002)
    expect(values.get('postern_listener_answered_seconds')).to.equal(1.5)
    expect(values.get('postern_trial_left_seconds')).to.equal(0)
  })

  it('say that the journal is not trusted, and from when on knocks are accepted', () => {
    const untrusted = parseMetrics(metricsText({ ...STATUS, untrustedBelowMs: 1_800_000_160_000 }, '1'))
    expect(untrusted.get('postern_replay_journal_trusted')).to.equal(0)
    expect(untrusted.get('postern_accepts_from_timestamp_seconds')).to.equal(1_800_000_160)
  })

  it('are one where no daemon runs', () => {
    expect([...parseMetrics(metricsText(undefined, '1'))]).to.deep.equal([['postern_up', 0]])
  })
})
