/** The resource that a word of an administrator's command line means. Pure. */
import { quote } from '../../config/error.js'
import { didYouMean } from '../../config/nearest.js'
import { covers } from '../../config/ports.js'
import type { Resource, ServerConfig } from '../../config/types.js'
import { formatId, parseId } from '../../wire/ids.js'
import { knownWords } from '../known.js'
import { UsageError } from '../usage.js'

/** By name, by a port that it covers, or by id, in this order. Throws UsageError, in the name of `what`. */
export function resourceNamed(text: string, config: ServerConfig, what: string): Resource {
  const resources = [...config.resources.values()]
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined
  const found =
    resources.find((resource) => resource.name === text) ??
    resources.find((resource) => port !== undefined && covers(resource, port)) ??
    resources.find((resource) => resource.id === parseId(text))
  if (found === undefined)
    throw new UsageError(
      `${what} ${quote(text)}: ${config.file} has none of this name, port or id (it has ${resourceWords(resources)})${didYouMean(text, namesOf(resources))}`,
    )
  return found
}

/** "ssh, web, 0000002A": each by what it can be called. */
export function resourceWords(resources: Iterable<Resource>): string {
  return knownWords([...resources].map(({ id, name }) => name ?? formatId(id)))
}

function namesOf(resources: readonly Resource[]): string[] {
  return resources.flatMap(({ name }) => name ?? [])
}
