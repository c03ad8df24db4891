/** `posternd status` in words. Pure. */

import { idWords } from '../../daemon/called.js'
import { counted } from '../../daemon/counted.js'
import { REASONS, type Reason } from '../../daemon/reasons.js'
import type { DaemonStatus, ToldLease } from '../../daemon/status-answer.js'
import { table } from '../print.js'
import type { Standing } from './status.js'

/** What is up, the leases, the counters. */
export function statusWords(standing: Standing): string {
  const about = standing.running ? daemonWords(standing) : withoutWords(standing)
  const counters = standing.running ? counterWords(standing.counters) : ''
  return [...about, leaseWords(standing.leases), counters].filter(Boolean).join('\n')
}

function daemonWords(daemon: DaemonStatus): string[] {
  const { mode, users, stanzas, resources, file, startedMs, nowMs, trialLeftMs, untrustedBelowMs, isAsleep } = daemon
  const more = stanzas === 0 ? '' : `, ${counted(stanzas, 'stanza')} of fwknop’s`
  const since = new Date(startedMs).toISOString()
  return [
    `posternd runs since ${since}: ${mode} mode, ${counted(users, 'user')}${more}, ${counted(resources, 'resource')}, ${file}`,
    trialWords(trialLeftMs),
    isAsleep ? 'the machine goes to sleep: no instant knock opens until it is said to be awake (posternd wake)' : '',
    untrustedBelowMs > nowMs
      ? `the replay journal is not trusted yet: knocks are refused for ${Math.ceil((untrustedBelowMs - nowMs) / 1000)} s`
      : '',
  ]
}

function withoutWords({ gate, mode, trialLeftMs }: Extract<Standing, { running: false }>): string[] {
  const words = {
    down:
      mode === 'guard'
        ? 'no posternd runs here, and no gate is up: nothing is guarded (posternd up, or systemctl start postern)'
        : 'no posternd runs here, and nothing of postern is in the kernel: nobody is let in by it (systemctl start postern)',
    up:
      mode === 'guard'
        ? 'the gate is up, shut; no posternd runs here: knocks are not heard, leases run out (systemctl start postern)'
        : 'no posternd runs here: knocks are not heard, leases run out (systemctl start postern)',
    'trial-over': 'a trial ended and was not confirmed: nothing is guarded (posternd trial 5m begins another)',
  }
  return [words[gate], trialWords(trialLeftMs)]
}

function trialWords(leftMs: number | undefined): string {
  if (leftMs === undefined) return ''
  return `on trial for ${Math.ceil(leftMs / 1000)} s more: without posternd confirm the kernel opens all again`
}

function leaseWords(leases: readonly ToldLease[]): string {
  if (leases.length === 0) return 'no lease is live'
  const rows = leases.map((lease) => [
    idWords(lease.resource, named(lease.resourceName)),
    lease.address,
    `${(lease.remainingMs / 1000).toFixed(1)} s`,
    lease.title ?? (lease.user === undefined ? '-' : idWords(lease.user, named(lease.userName))),
  ])
  return table([['RESOURCE', 'ADDRESS', 'LEFT', 'USER'], ...rows])
}

function named(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name }
}

function counterWords(counters: DaemonStatus['counters']): string {
  return Object.entries(counters)
    .map(([name, count]) => {
      const why = REASONS[name.replace(/^refused /, '') as Reason]
      return why === undefined ? `${name}: ${count}` : `${name}: ${count} (${why})`
    })
    .join('\n')
}
