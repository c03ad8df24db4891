/**
 * What a daemon says of itself as Prometheus text (exposition format 0.0.4), for the node exporter's textfile collector. Names and
 * labels are stable: docs/OPERATIONS.md, "Watching". Pure.
 */
import { formatId } from '../wire/ids.js'
import { REASON_LIST } from './reasons.js'
import type { DaemonStatus } from './status-answer.js'

const OUTCOMES = ['opened', 'prolonged', 'unchanged', 'revoked', 'absent', 'refused', 'instant'] as const

type Labels = Readonly<Record<string, string>>

interface Metric {
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly (readonly [Labels, number])[]
}

/** `status` undefined: no daemon runs, which is all that is said then. */
export function metricsText(status: DaemonStatus | undefined, version: string): string {
  const up = gauge('postern_up', 'Whether the daemon answers.', status === undefined ? 0 : 1)
  return [up, ...(status === undefined ? [] : metricsOf(status, version))].map(textOf).join('')
}

function metricsOf(status: DaemonStatus, version: string): Metric[] {
  const { counters } = status
  return [
    info('postern_info', 'Version and mode.', { version, mode: status.mode }),
    gauge('postern_start_time_seconds', 'When the monitor began, Unix time.', status.startedMs / 1000),
    gauge('postern_users', 'Users with a key.', status.users),
    gauge('postern_stanzas', 'Stanzas of access.conf.', status.stanzas),
    gauge('postern_resources', 'Resources.', status.resources),
    {
      name: 'postern_leases',
      kind: 'gauge',
      help: 'Live leases in the kernel.',
      samples: leasesByResource(status).map(([name, count]) => [{ resource: name }, count]),
    },
    {
      name: 'postern_requests_total',
      kind: 'counter',
      help: 'Knocks that reached the monitor, and what became of them.',
      samples: OUTCOMES.map((outcome) => [{ outcome }, counters[outcome] ?? 0]),
    },
    {
      name: 'postern_refused_total',
      kind: 'counter',
      help: 'Datagrams that the listener refused; it counts anew where it is started anew.',
      samples: REASON_LIST.map((reason) => [{ reason }, counters[`refused ${reason}`] ?? 0]),
    },
    gauge(
      'postern_replay_journal_trusted',
      'Whether the replay journal is trusted.',
      status.untrustedBelowMs === 0 ? 1 : 0,
    ),
    gauge(
      'postern_accepts_from_timestamp_seconds',
      'Knocks made before are refused, Unix time.',
      Math.max(status.hearingMs, status.untrustedBelowMs) / 1000,
    ),
    gauge('postern_horizon_timestamp_seconds', 'Knocks made after are refused, Unix time.', status.horizonMs / 1000),
    gauge(
      'postern_listener_answered_seconds',
      'Since the last answer of the listener.',
      status.listenerAnsweredMsAgo / 1000,
    ),
    gauge('postern_listener_lag_seconds', 'How long that answer took.', status.listenerLagMs / 1000),
    gauge('postern_trial_left_seconds', 'What is left of a trial; 0: none is on.', (status.trialLeftMs ?? 0) / 1000),
  ]
}

/** Every resource has a line, so that one without a lease is 0 and not away. */
function leasesByResource({ leases, resourceNames }: DaemonStatus): [string, number][] {
  const counts = new Map<string, number>(resourceNames.map((name) => [name, 0]))
  for (const { resource, resourceName } of leases) {
    const name = resourceName ?? formatId(resource)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts]
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, kind: 'gauge', help, samples: [[{}, value]] }
}

function info(name: string, help: string, labels: Labels): Metric {
  return { name, kind: 'gauge', help, samples: [[labels, 1]] }
}

function textOf({ name, kind, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
