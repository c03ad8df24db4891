/**
 * The two users that conf/sysusers.d/postern.conf makes on a real host, here for one laboratory's mount namespace only: the
 * machine's own files stay as they are.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Numbers that nobody has on a Debian host. */
export const MONITOR_ID = 64_801
const LISTENER_ID = 64_802
const ACCOUNTS = [
  ['postern', MONITOR_ID],
  ['postern-listener', LISTENER_ID],
] as const

/** False where this is an ordinary user's namespace of one uid: then the daemon keeps that uid and lowers capabilities alone. */
export const HAS_ACCOUNTS = process.getuid?.() === 0

/** Once for each namespace. The caller has made sure that it is not the machine's own. */
export function addAccounts(): void {
  if (!HAS_ACCOUNTS || existsSync('/run/passwd')) return
  overlay('passwd', (name, id) => `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n`)
  overlay('group', (name, id) => `${name}:x:${id}:\n`)
}

function overlay(file: string, row: (name: string, id: number) => string): void {
  const theirs = readFileSync(`/etc/${file}`, 'utf8')
    // Where an ordinary user is root of a namespace, root's home is shut to him.
    .replace(/^(root:(?:[^:]*:){4})[^:]*/m, '$1/')
    .split('\n')
    .filter((line) => line !== '' && !/^postern(-listener)?:/.test(line))
  const ours = ACCOUNTS.map(([name, id]) => row(name, id))
  writeFileSync(`/run/${file}`, `${theirs.join('\n')}\n${ours.join('')}`, { mode: 0o644 })
  execFileSync('mount', ['--bind', `/run/${file}`, `/etc/${file}`])
}
