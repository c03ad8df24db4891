/**
 * [RESOURCES] as a whole: each by itself, then what no two of them may share.
 */
import { formatId, type ResourceId } from '../wire/ids.js'
import { type Findings, quote } from './error.js'
import type { Option, Section } from './ini.js'
import { covers, formatRange, overlaps } from './ports.js'
import { type ResourceDefaults, readResource } from './resource.js'
import type { ControlPorts, PortRange, Resource } from './types.js'
import { id } from './values.js'

/** All resources, those that are wrong in part too: the findings tell. */
export function readResources(
  sections: ReadonlyMap<string, Section>,
  defaults: ResourceDefaults,
  findings: Findings,
): Map<ResourceId, Resource> {
  return readResourceOptions(sections.get('RESOURCES')?.options ?? [], '[RESOURCES]', defaults, findings)
}

/** The resources that these options define, `ID = parts` each; `title`: the section's, for messages. */
export function readResourceOptions(
  options: readonly Option[],
  title: string,
  defaults: ResourceDefaults,
  findings: Findings,
): Map<ResourceId, Resource> {
  const resources = new Map<ResourceId, Resource>()
  const lines = new Map<ResourceId, number>()
  for (const option of options) {
    const reading = id(option.name)
    if ('misfit' in reading) {
      findings.refuse(option.line, `${title} ${quote(option.name)}: expected ${reading.expected}`)
      continue
    }
    const first = lines.get(reading.value)
    if (first !== undefined)
      findings.refuse(option.line, `resource ${formatId(reading.value)} is here twice: the first is in line ${first}`)
    lines.set(reading.value, option.line)
    const resource = readResource(option, reading.value, defaults, findings)
    if (resource !== undefined) resources.set(reading.value, resource)
  }
  refuseSharedPorts([...resources.values()], findings)
  refuseSharedNames([...resources.values()], findings)
  return resources
}

/** A port leads to one resource. As in letmein, protocol and users make no difference. */
function refuseSharedPorts(resources: readonly Resource[], findings: Findings): void {
  const all = resources
    .flatMap((resource) => portsOf(resource).map((range) => ({ resource, range })))
    .sort((a, b) => a.range.first - b.range.first)
  let widest: (typeof all)[number] | undefined
  for (const entry of all) {
    if (widest !== undefined && widest.resource !== entry.resource && overlaps(widest.range, entry.range)) {
      const [first, second] = widest.resource.line < entry.resource.line ? [widest, entry] : [entry, widest]
      findings.refuse(
        second.resource.line,
        `resource ${formatId(second.resource.id)}: port "${formatRange(second.range)}": expected ports that no other ` +
          `resource has; resource ${formatId(first.resource.id)} in line ${first.resource.line} has ${formatRange(first.range)}`,
      )
    }
    if (widest === undefined || entry.range.last > widest.range.last) widest = entry
  }
}

function refuseSharedNames(resources: readonly Resource[], findings: Findings): void {
  const named = new Map<string, Resource>()
  for (const resource of resources) {
    if (resource.name === undefined) continue
    const first = named.get(resource.name)
    if (first === undefined) named.set(resource.name, resource)
    else
      findings.refuse(
        resource.line,
        `resource ${formatId(resource.id)}: name "${resource.name}": expected a name of its own; resource ${formatId(first.id)} in line ${first.line} has it`,
      )
  }
}

/** The ports that a resource opens; none of a jump. */
export function portsOf(resource: Resource): readonly PortRange[] {
  return resource.target.kind === 'ports' ? resource.target.ports : []
}

/** True where a resource opens a port that letmein's exchange is heard at: such a knock gets GOAWAY, as letmeind does it. */
export function opensControlPort(resource: Resource, control: ControlPorts): boolean {
  const numbers = [...control.tcp, ...(control.udp === 'any' ? [] : control.udp)]
  return numbers.some((number) => covers(resource, number))
}
