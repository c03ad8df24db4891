/** What the imports of a server have in common: its name, and whose file it will be. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { groupIds } from '../../config/files.js'

/** A name that no other server has: a key that two servers share opens at one of them only. */
export function freshRealm(random: (bytes: number) => Uint8Array): string {
  return `${hostname()}-${Buffer.from(random(4)).toString('hex')}`
}

/** The gid of group postern, where root asks and there is one. */
export function posternGroup(): number | undefined {
  return process.geteuid?.() === 0 ? groupIds(readFileSync('/etc/group', 'utf8'), ['postern'])[0] : undefined
}
