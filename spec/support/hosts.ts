/** A name for the laboratory's server, in /etc/hosts of its own mount namespace only: the machine's own file stays as it is. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { HOSTS } from './lab.js'

/** Both of the server's addresses. */
export const SERVER_NAME = 'server.example'

/** Once for each namespace of scripts/apart. */
export function nameServer(): void {
  if (existsSync('/run/hosts')) return
  const { v4, v6 } = HOSTS.server
  writeFileSync('/run/hosts', `${readFileSync('/etc/hosts', 'utf8')}\n${v4} ${SERVER_NAME}\n${v6} ${SERVER_NAME}\n`)
  execFileSync('mount', ['--bind', '/run/hosts', '/etc/hosts'])
}
