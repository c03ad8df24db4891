/**
 * What fwknop's stanzas may open: the resources of [RESOURCES], and one of its own for each `proto/port` of OPEN_PORTS that no
 * resource has, so that it is guarded and its leases are kept. Pure.
 */
import type { FwknopTarget } from '../gate/fwknop-stanza.js'
import { type FwknopPort, portName } from '../wire/fwknop-types.js'
import { formatId, type ResourceId } from '../wire/ids.js'
import type { ReadStanza, Said } from './fwknop-stanza.js'
import { covers, formatRange } from './ports.js'
import { portsOf } from './resources.js'
import type { Resource } from './types.js'

/** Ids of what OPEN_PORTS alone names: 0xF000PORT for tcp, 0xF001PORT for udp. */
const OWN_RESOURCES = 0xf0000000

export interface FwknopResources {
  /** [RESOURCES] and what OPEN_PORTS adds. */
  readonly resources: ReadonlyMap<ResourceId, Resource>
  /** `tcp/22` → what it opens, for whatever a stanza may open. */
  readonly targets: ReadonlyMap<string, FwknopTarget>
}

/** `line`: of [FWKNOP] access-file, for what is to be said of resources that have no line. */
export function fwknopResources(
  stanzas: readonly ReadStanza[],
  own: ReadonlyMap<ResourceId, Resource>,
  line: number,
  refuse: (line: number, message: string) => void,
): FwknopResources {
  const resources = new Map(own)
  const targets = new Map<string, FwknopTarget>()
  const byPort = [...own.values()].filter(({ target }) => target.kind === 'ports')
  const leaseSeconds = Math.max(0, ...stanzas.map(({ stanza }) => stanza.leaseSeconds))
  const maxSeconds = Math.max(leaseSeconds, ...stanzas.map(({ stanza }) => stanza.maxSeconds))
  for (const { stanza, openPorts } of stanzas) {
    for (const port of stanza.openPorts ?? []) {
      const text = portName(port)
      if (targets.has(text)) continue
      const covering = byPort.find((resource) => covers(resource, port.port))
      if (covering === undefined) {
        const resource = ownResource(port, { leaseSeconds, maxSeconds }, line, own)
        if (own.has(resource.id))
          refuse(
            own.get(resource.id)!.line,
            `resource ${formatId(resource.id)}: ${text} of OPEN_PORTS has this id: expected another`,
          )
        resources.set(resource.id, resource)
        targets.set(text, { resource: resource.id, opens: [port], onlyNamed: false })
      } else if (!hasProtocol(covering, port)) {
        const { findings, line: at } = openPorts!
        findings.refuse(
          at.line,
          `OPEN_PORTS: ${text}: resource ${formatId(covering.id)} in line ${covering.line} of posternd.conf has port ` +
            `${port.port} for ${protocolsOf(covering).join()} alone: expected ${port.protocol} in it too`,
        )
      } else addTarget(covering, targets)
    }
  }
  if (stanzas.some(({ stanza }) => stanza.openPorts === undefined))
    for (const resource of byPort) if (resource.users === undefined) addTarget(resource, targets)
  return { resources, targets }
}

/** Says of each stanza where it names a part of what a resource opens, and of one that names nothing what that means. */
export function tellOfParts({ stanza, source, openPorts }: ReadStanza, targets: FwknopResources['targets']): void {
  const isRestricted = (port: FwknopPort) => stanza.restrictPorts.some((other) => portName(other) === portName(port))
  if (stanza.openPorts === undefined || openPorts === undefined) {
    source.findings.warn(
      source.line.line,
      'a stanza without OPEN_PORTS: it may open all that is guarded here, but resources with a list of users: expected OPEN_PORTS',
    )
    return
  }
  const named = new Set(stanza.openPorts.map(portName))
  const told = new Set<ResourceId>()
  for (const port of stanza.openPorts) {
    const target = targets.get(portName(port))
    if (target === undefined || told.has(target.resource)) continue
    told.add(target.resource)
    const restricted = target.opens.find(isRestricted)
    const missing = target.opens.find((other) => !named.has(portName(other)))
    if (missing !== undefined) refusePart(openPorts, port, target, missing)
    else if (restricted !== undefined)
      openPorts.findings.warn(
        openPorts.line.line,
        `OPEN_PORTS: ${portName(port)}: RESTRICT_PORTS has ${portName(restricted)}, which opens with it: it is not opened`,
      )
  }
}

function refusePart({ findings, line }: Said, port: FwknopPort, target: FwknopTarget, missing: FwknopPort): void {
  findings.refuse(
    line.line,
    `OPEN_PORTS: ${portName(port)}: resource ${formatId(target.resource)} of posternd.conf opens ${portName(missing)} with it ` +
      `(${target.opens.length} ports): expected all of them in OPEN_PORTS, or a resource of its own for ${portName(port)}`,
  )
}

function ownResource(
  port: FwknopPort,
  { leaseSeconds, maxSeconds }: { readonly leaseSeconds: number; readonly maxSeconds: number },
  line: number,
  own: ReadonlyMap<ResourceId, Resource>,
): Resource {
  const name = `fwknop-${port.protocol}-${port.port}`
  const isTaken = [...own.values()].some((resource) => resource.name === name)
  return {
    id: (OWN_RESOURCES | (port.protocol === 'udp' ? 1 << 16 : 0) | port.port) >>> 0,
    line,
    ...(isTaken ? {} : { name }),
    target: { kind: 'ports', ports: [{ first: port.port, last: port.port }], protocols: [port.protocol] },
    // For fwknop's stanzas alone: no user of [KEYS] may open it.
    users: [],
    timeoutMs: leaseSeconds * 1000,
    saysTimeout: true,
    maxTimeoutMs: maxSeconds * 1000,
    instant: false,
    cut: false,
    connections: 0,
    maxLeases: 0,
    requireAddress: 'optional',
  }
}

function addTarget(resource: Resource, targets: Map<string, FwknopTarget>): void {
  const opens = portsOf(resource).flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) =>
      protocolsOf(resource).map((protocol) => ({ protocol, port: first + i })),
    ).flat(),
  )
  const target = { resource: resource.id, opens, onlyNamed: resource.users !== undefined }
  for (const port of opens) targets.set(portName(port), target)
}

function protocolsOf({ target }: Resource) {
  return target.kind === 'ports' ? target.protocols : []
}

function hasProtocol(resource: Resource, { protocol }: FwknopPort): boolean {
  return protocolsOf(resource).includes(protocol)
}

/** `tcp 22,60000-60010`. */
export function portsText(resource: Resource): string {
  return `${protocolsOf(resource).join(',')} ${portsOf(resource).map(formatRange).join(',')}`
}
