/** What gate and daemon say of themselves: not up, on trial, not heard, not trusted yet. Pure. */
import type { DaemonStatus } from '../../../daemon/status-answer.js'
import type { Finding } from '../../finding.js'
import type { WithoutDaemon } from '../status.js'

const SILENT_MS = 10_000
/** Longer than any usual start has to wait: somebody's clock was wrong. */
const LONG_MS = 600_000
const TRIAL_MEND = 'posternd confirm'

/** Where no daemon runs. */
export function withoutDaemon({ gate, mode, trialLeftMs }: WithoutDaemon): Finding[] {
  const start = 'systemctl start postern'
  const stopped = 'no daemon runs, so no knock is heard'
  const sentence = {
    'trial-over': 'a trial of the gate ended and was not confirmed, so nothing is guarded and no daemon runs',
    down:
      mode === 'guard'
        ? `the gate is not up and ${stopped}: every port is as the host’s own rules say`
        : `${stopped}, and nothing of postern is in the kernel`,
    up: mode === 'guard' ? `the gate is up and shut, but ${stopped}` : stopped,
  }[gate]
  const mend = gate === 'trial-over' ? 'posternd trial 5m' : start
  return [{ code: gate === 'trial-over' ? 'trial-over' : 'daemon', sentence, mend }, ...trialFinding(trialLeftMs)]
}

/** Of a daemon that answers. */
export function ofDaemon(status: DaemonStatus): Finding[] {
  const { nowMs, listenerAnsweredMsAgo, untrustedBelowMs, hearingMs, horizonMs, users, stanzas, resources } = status
  const found: Finding[] = []
  if (listenerAnsweredMsAgo > SILENT_MS)
    found.push({
      code: 'listener',
      sentence: `the listener has not answered for ${Math.round(listenerAnsweredMsAgo / 1000)} s, so no knock is judged`,
      mend: 'systemctl restart postern',
    })
  if (untrustedBelowMs > nowMs)
    found.push(untrusted('untrusted', 'the replay journal is not trusted', untrustedBelowMs, nowMs))
  if (hearingMs > nowMs)
    found.push({
      code: 'clock-back',
      sentence: `the clock was set back by ${Math.round((hearingMs - nowMs) / 1000)} s after the daemon began to hear, so knocks are refused as unheard until it is there again`,
      mend: 'systemctl restart postern',
    })
  if (horizonMs < nowMs)
    found.push({
      code: 'horizon',
      sentence: `the horizon could not be written since ${new Date(horizonMs).toISOString()}, so no knock is accepted`,
      mend: 'df -h /var/lib/postern',
    })
  if (users + stanzas === 0)
    found.push({ code: 'no-user', sentence: 'no user has a key, so nobody can knock', mend: 'posternd enroll NAME' })
  if (resources === 0)
    found.push({
      code: 'no-resource',
      sentence: `${status.file} guards nothing: [RESOURCES] is empty`,
      mend: 'posternd check',
    })
  return [...found, ...trialFinding(status.trialLeftMs)]
}

function untrusted(code: string, why: string, untilMs: number, nowMs: number): Finding {
  const time = new Date(untilMs).toISOString()
  const sentence = `${why}, so knocks are refused for ${Math.ceil((untilMs - nowMs) / 1000)} s more, until ${time}`
  return {
    code,
    sentence,
    mend:
      untilMs - nowMs > LONG_MS
        ? 'posternd trust-clock'
        : `postern knock HOST PORT   # after ${time}; before that: posternd open RESOURCE ADDRESS`,
  }
}

function trialFinding(leftMs: number | undefined): Finding[] {
  if (leftMs === undefined) return []
  const sentence = `the gate is on trial for ${Math.ceil(leftMs / 1000)} s more, and then everything is open again`
  return [{ code: 'trial', sentence, mend: TRIAL_MEND }]
}
