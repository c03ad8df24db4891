/** What the imports of a server have in common: its name, and whose file it will be. */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { groupIds, SERVER_FILES } from '../../config/files.js'
import { type Arguments, isGiven, textOf } from '../options.js'
import type { Printer } from '../print.js'
import { installLetmein, installUnits, tellInstalled, tellSystemd } from './init/install.js'

/** A name that no other server has: a key that two servers share opens at one of them only. */
export function freshRealm(random: (bytes: number) => Uint8Array): string {
  return `${hostname()}-${Buffer.from(random(4)).toString('hex')}`
}

/** What is said of the realm: one that is drawn is another each time, and only what is written or printed counts. */
export function realmWords(realm: string, args: Arguments): string {
  const isTold = textOf(args, 'realm') !== undefined || isGiven(args, 'write')
  return isTold
    ? realm
    : `${realm.replace(/[0-9a-f]{8}$/, '')}…, eight hex digits that are drawn with --write; or --realm TEXT`
}

/** The gid of group postern, where root asks and there is one. */
export function posternGroup(): number | undefined {
  return process.geteuid?.() === 0 ? groupIds(readFileSync('/etc/group', 'utf8'), ['postern'])[0] : undefined
}

/**
 * Units and users as posternd init makes them, ahead of an import that writes the file they are for: without them its next steps
 * would be about a service that is not there. `letmein`: the drop-in that lets its clients be answered, too.
 */
export function prepareService(to: string, args: Arguments, printer: Printer, letmein: boolean): void {
  const writes = isGiven(args, 'write') && to === SERVER_FILES[0] && (isGiven(args, 'force') || !existsSync(to))
  if (!writes || process.geteuid?.() !== 0 || !existsSync('/run/systemd/system')) return
  const units = installUnits('/', { force: false, stamp: '' })
  tellInstalled(letmein ? [...units, installLetmein()] : units, printer)
  tellSystemd(printer)
}

/** What is left to do where root wrote a file that the daemon's own user has to read, and there is no such user yet. */
export function usersToMake(to: string, gid: number | undefined): string[] {
  if (process.geteuid?.() !== 0 || gid !== undefined) return []
  return [
    'for user in postern postern-listener; do useradd --system --user-group --shell /usr/sbin/nologin $user; done',
    `chgrp postern ${to} && chmod 640 ${to}`,
  ]
}
