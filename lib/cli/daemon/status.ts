/** `posternd status`: the leases that the kernel has, and, where a daemon runs, what it counted. */

import { idWords } from '../../daemon/called.js'
import { askControl, ControlError } from '../../daemon/control.js'
import { counted } from '../../daemon/counted.js'
import { REASONS, type Reason } from '../../daemon/reasons.js'
import { type ToldLease, withTitle } from '../../daemon/status-answer.js'
import { formatId } from '../../wire/ids.js'
import type { Command, World } from '../command.js'
import { EXIT } from '../exit.js'
import { type Arguments, isGiven } from '../options.js'
import { table } from '../print.js'
import { managerOf } from './kernel.js'
import { CONFIG_OPTION, controlPathOf, JSON_OPTION, RUN_DIR_OPTION } from './options.js'

/** What a running daemon says of itself. */
interface DaemonStatus {
  readonly startedMs: number
  readonly mode: string
  readonly file: string
  readonly users: number
  readonly resources: number
  readonly listenerAnsweredMsAgo: number
  readonly counters: Readonly<Record<string, number>>
  /** Of fwknop's access.conf. */
  readonly stanzas?: number
  readonly leases: readonly ToldLease[]
}

export const status: Command = {
  name: 'status',
  positionals: '',
  describe: 'leases as the kernel has them, and what the daemon counted',
  options: [CONFIG_OPTION, RUN_DIR_OPTION, JSON_OPTION],
  examples: [['posternd status --json', 'for a program']],
  run: async (args, world) => {
    const daemon = await daemonStatus(controlPathOf(args))
    const leases = daemon?.leases ?? kernelLeases(args, world)
    if (isGiven(args, 'json')) {
      const rows = leases.map(({ resource, user, ...lease }) => ({
        ...lease,
        resource: formatId(resource),
        ...(user === undefined ? {} : { user: formatId(user) }),
      }))
      world.printer.line(JSON.stringify({ running: daemon !== undefined, ...daemon, leases: rows }))
    } else
      world.printer.line([daemonWords(daemon), leaseWords(leases), counterWords(daemon)].filter(Boolean).join('\n'))
    return EXIT.ok
  },
}

/** Where no daemon runs. */
function kernelLeases(args: Arguments, world: World): readonly ToldLease[] {
  const { manager, config } = managerOf(args, world)
  return manager.leases().map((lease) => withTitle(lease, config))
}

async function daemonStatus(path: string): Promise<DaemonStatus | undefined> {
  try {
    const answer = await askControl(path, { command: 'status' })
    if (!answer.ok) throw new ControlError('broken', answer.error)
    return answer as unknown as DaemonStatus
  } catch (error) {
    if (error instanceof ControlError && error.code === 'absent') return undefined
    throw error
  }
}

function daemonWords(daemon: DaemonStatus | undefined): string {
  if (daemon === undefined) return 'no posternd runs here: the gate is as it left it, leases run out'
  const { mode, users, stanzas = 0, resources, file } = daemon
  const more = stanzas === 0 ? '' : `, ${counted(stanzas, 'stanza')} of fwknop’s`
  const since = new Date(daemon.startedMs).toISOString()
  return `posternd runs since ${since}: ${mode} mode, ${counted(users, 'user')}${more}, ${counted(resources, 'resource')}, ${file}`
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

function counterWords(daemon: DaemonStatus | undefined): string {
  const counters = Object.entries(daemon?.counters ?? {})
  return counters
    .map(([name, count]) => {
      const why = REASONS[name.replace(/^refused /, '') as Reason]
      return why === undefined ? `${name}: ${count}` : `${name}: ${count} (${why})`
    })
    .join('\n')
}
