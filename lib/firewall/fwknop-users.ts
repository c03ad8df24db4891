/**
 * fwknop's stanzas as users: each has a number that leases bear, and may open what access.conf says. The gate has judged by the
 * same file; what comes over a channel is not believed. Pure.
 */
import type { ServerConfig } from '../config/types.js'
import type { FwknopStanza } from '../gate/fwknop-stanza.js'
import type { ResourceId, UserId } from '../wire/ids.js'

/** The stanza that has this number, or undefined: a user with a key, or nobody. */
export function stanzaOf(user: UserId | undefined, { fwknop }: ServerConfig): FwknopStanza | undefined {
  return fwknop?.settings.stanzas.find((stanza) => stanza.user === user)
}

/** Whether all that this resource opens is the stanza's to open. */
export function stanzaMayOpen(stanza: FwknopStanza, resource: ResourceId, { fwknop }: ServerConfig): boolean {
  const targets = [...(fwknop?.settings.resources.values() ?? [])]
  const target = targets.find((one) => one.resource === resource)
  if (target === undefined) return false
  const { openPorts, restrictPorts } = stanza
  const isIn = (list: FwknopStanza['restrictPorts'], { protocol, port }: (typeof target.opens)[number]) =>
    list.some((one) => one.protocol === protocol && one.port === port)
  if (target.opens.some((port) => isIn(restrictPorts, port))) return false
  return openPorts === undefined ? !target.onlyNamed : target.opens.every((port) => isIn(openPorts, port))
}

/** The longest lease that it gives, ms: FW_ACCESS_TIMEOUT is not bounded by MAX_FW_TIMEOUT, which is for clients' wishes. */
export function longestMs({ leaseSeconds, maxSeconds }: FwknopStanza): number {
  return 1000 * Math.max(leaseSeconds, maxSeconds)
}

/** Whether nothing of it but its line has changed. */
export function isSameStanza(a: FwknopStanza | undefined, b: FwknopStanza | undefined): boolean {
  return a !== undefined && b !== undefined && stanzaContent(a) === stanzaContent(b)
}

/** Everything of a stanza but its line, keys too. */
export function stanzaContent({ title: _, ...stanza }: FwknopStanza): string {
  return JSON.stringify(stanza, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  )
}
