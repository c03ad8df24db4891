/** What the kernel says of processes that run (proc(5)). */
import { readFileSync } from 'node:fs'
import type { Child } from '../../spec/support/child.js'

export type Role = 'starter' | 'monitor' | 'listener'
export type Pids = Readonly<Record<Role, number>>
export type Each = Readonly<Record<Role, number>>

/** The daemon's three processes. Throws where one is missing. */
export function pidsOf(daemon: Child): Pids {
  const find = (program: string) => {
    const pid = daemon.descendants().find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(program))
    if (pid === undefined) throw new Error(`${program}: expected it among the daemon's processes`)
    return pid
  }
  return { starter: daemon.pid, monitor: find('monitor.js'), listener: find('listener.js') }
}

export const TICK_US = 10_000

/** CPU time used so far, in ticks of 10 ms (sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on). */
export function ticksOf(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')
  const fields = afterName.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Resident memory, MiB. */
export function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024
}

/** One number for each process. */
export function each(pids: Pids, measure: (pid: number) => number): Each {
  return { starter: measure(pids.starter), monitor: measure(pids.monitor), listener: measure(pids.listener) }
}

/** What work gave, and the ticks that each process used meanwhile. */
export async function spent<T>(pids: Pids, work: () => Promise<T>): Promise<{ result: T; used: Each }> {
  const before = each(pids, ticksOf)
  const result = await work()
  const after = each(pids, ticksOf)
  const used = {
    starter: after.starter - before.starter,
    monitor: after.monitor - before.monitor,
    listener: after.listener - before.listener,
  }
  return { result, used }
}

export function total(of: Each): number {
  return of.starter + of.monitor + of.listener
}

/** "starter 8 + monitor 42 + listener 50". */
export function inWords(of: Each): string {
  return Object.entries(of)
    .map(([role, value]) => `${role} ${Math.round(value)}`)
    .join(' + ')
}
