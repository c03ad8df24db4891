/**
 * The ssh login that a command was given in, read off its ancestors: sudo takes SSH_CONNECTION out of the environment, and a
 * terminal multiplexer keeps that of a connection which is long gone.
 */
import { readFileSync } from 'node:fs'

export interface Session {
  readonly client: string
  readonly serverPort: number
  /** When sshd began to serve this connection, by the clock of /proc/uptime, ms. */
  readonly startedUptimeMs: number
}

/** What of /proc is needed; each gives undefined where the process is gone or not ours to look at. */
export interface Processes {
  stat(pid: number): string | undefined
  environ(pid: number): string | undefined
}

/** A clock tick of /proc/PID/stat on Linux, in all ABIs. */
const TICK_MS = 10
const MOST_ANCESTORS = 64

/**
 * The login of process `pid`: the nearest ancestor that is sshd's, and the connection that what runs below it was told of.
 * undefined: it is in none (a console, a cron job, a multiplexer that outlived its login).
 */
export function sshSession(pid: number, processes: Processes = proc): Session | undefined {
  let connection: string | undefined
  for (let at = pid, left = MOST_ANCESTORS; at > 1 && left > 0; left--) {
    const stat = parseStat(processes.stat(at))
    if (stat === undefined) return undefined
    if (stat.name.startsWith('sshd')) return sessionOf(connection, stat.startedTicks * TICK_MS)
    connection = connectionOf(processes.environ(at)) ?? connection
    at = stat.parent
  }
  return undefined
}

/** `22 (name) S 1 …`: the name may hold anything, brackets too. */
function parseStat(text: string | undefined): { name: string; parent: number; startedTicks: number } | undefined {
  const [, name, rest] = /^[0-9]+ \((.*)\) (.*)$/s.exec(text ?? '') ?? []
  const fields = rest?.split(' ') ?? []
  const [parent, startedTicks] = [Number(fields[1]), Number(fields[19])]
  if (name === undefined || !Number.isInteger(parent) || !Number.isInteger(startedTicks)) return undefined
  return { name, parent, startedTicks }
}

function connectionOf(environ: string | undefined): string | undefined {
  return environ
    ?.split('\0')
    .find((line) => line.startsWith('SSH_CONNECTION='))
    ?.slice('SSH_CONNECTION='.length)
}

/** `client port server port`; a link-local client has its zone behind a `%`. */
function sessionOf(connection: string | undefined, startedUptimeMs: number): Session | undefined {
  const [client, , , port] = connection?.split(' ') ?? []
  if (client === undefined || !/^[0-9]{1,5}$/.test(port ?? '')) return undefined
  return { client: client.replace(/%.*$/, ''), serverPort: Number(port), startedUptimeMs }
}

/** This moment by the clock that processes' start times are told by, ms. Throws where /proc is not there. */
export function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000
}

const proc: Processes = {
  stat: (pid) => textOf(`/proc/${pid}/stat`),
  environ: (pid) => textOf(`/proc/${pid}/environ`),
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
