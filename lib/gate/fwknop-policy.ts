/**
 * What one stanza of access.conf grants an authentic message. Specification: docs/PROTOCOL.md, "What the server does with a packet". Pure.
 */
import { canonicalAddress, type IpAddress } from '../wire/address.js'
import { ANY_ADDRESS, accessOf } from '../wire/fwknop-access.js'
import type { FwknopMessage } from '../wire/fwknop-text.js'
import { type FwknopPort, portName } from '../wire/fwknop-types.js'
import type { ResourceId } from '../wire/ids.js'
import type { FwknopSettings, FwknopStanza } from './fwknop-stanza.js'
import type { FwknopWhy } from './verdict.js'

export interface Grant {
  readonly address: IpAddress
  readonly addressSigned: boolean
  readonly lifetimeSeconds: number
  /** One or more, each once. */
  readonly resources: readonly ResourceId[]
}

export interface Denial {
  readonly why: FwknopWhy
  readonly detail: string
}

/** `source` is where the datagram came from. All that is asked for is granted, or nothing. */
export function judgeMessage(
  message: FwknopMessage,
  stanza: FwknopStanza,
  { maxAgeMs, resources }: Omit<FwknopSettings, 'stanzas'>,
  source: IpAddress,
  nowMs: number,
): Grant | Denial {
  if (stanza.expiresMs !== undefined && nowMs >= stanza.expiresMs) return deny('expired', 'the stanza has expired')
  const ageMs = nowMs - message.timeSeconds * 1000
  if (Math.abs(ageMs) > maxAgeMs) return deny('age', `its time is ${Math.round(-ageMs / 1000)} s from now`)
  if (message.type === 0) return deny('command', 'it asks for a command to be run')
  if (message.natAccess !== undefined) return deny('nat', 'it asks for NAT')
  // Of types with an access message the reader has seen that it is one.
  const access = accessOf(message.message)!
  const addressSigned = access.address !== ANY_ADDRESS
  if (!addressSigned && stanza.requireAddress) return deny('address-required', 'it names no address')
  const address = addressSigned ? senderAddress(access.address) : source
  if (address === undefined) return deny('address', `address ${access.address}`)
  if (stanza.username !== undefined && message.username !== stanza.username)
    return deny('username', `user name "${message.username}"`)
  const granted = new Set<ResourceId>()
  for (const port of access.ports) {
    const target = targetOf(port, stanza, resources)
    if (typeof target !== 'number') return target
    granted.add(target)
  }
  return { address, addressSigned, lifetimeSeconds: lifetimeOf(message, stanza), resources: [...granted] }
}

/** A client's own time-out up to the most, else the stanza's, which no most limits. */
function lifetimeOf({ timeoutSeconds }: FwknopMessage, { leaseSeconds, maxSeconds }: FwknopStanza): number {
  return timeoutSeconds > 0 ? Math.min(timeoutSeconds, maxSeconds) : leaseSeconds
}

/** The resource behind a port, where the stanza may open every port of it. */
export function targetOf(
  port: FwknopPort,
  { openPorts, restrictPorts }: FwknopStanza,
  resources: FwknopSettings['resources'],
): ResourceId | Denial {
  const name = portName(port)
  if (has(restrictPorts, port)) return deny('restricted', `${name} is in RESTRICT_PORTS`)
  if (openPorts !== undefined && !has(openPorts, port)) return deny('ports', `${name} is not in OPEN_PORTS`)
  const target = resources.get(name)
  if (target === undefined) return deny('unguarded', `${name} is not guarded here`)
  if (openPorts === undefined && target.onlyNamed) return deny('ports', `${name} is open to listed users alone`)
  for (const other of target.opens) {
    if (has(restrictPorts, other)) return deny('restricted', `${name} would open ${portName(other)} of RESTRICT_PORTS`)
    if (openPorts !== undefined && !has(openPorts, other))
      return deny('ports', `${name} would open ${portName(other)}, which is not in OPEN_PORTS`)
  }
  return target.resource
}

/** An address that a host can have, in canonical form. Octets with leading zeros mean two things, and no host is there. */
function senderAddress(text: string): IpAddress | undefined {
  const address = canonicalAddress(text)
  const first = Number.parseInt(address ?? '0', 10)
  return first > 0 && first < 224 ? address : undefined
}

function has(ports: readonly FwknopPort[], { protocol, port }: FwknopPort): boolean {
  return ports.some((one) => one.port === port && one.protocol === protocol)
}

function deny(why: FwknopWhy, detail: string): Denial {
  return { why, detail }
}
