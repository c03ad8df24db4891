/** The resource that a word of an administrator's command line means. Pure. */
import type { Resource, ServerConfig } from '../../config/types.js'
import { parseId } from '../../wire/ids.js'
import { UsageError } from '../usage.js'

/** By name, by a port that it covers, or by id, in this order. Throws UsageError, in the name of `what`. */
export function resourceNamed(text: string, config: ServerConfig, what: string): Resource {
  const resources = [...config.resources.values()]
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined
  const found =
    resources.find((resource) => resource.name === text) ??
    resources.find(
      ({ target }) =>
        port !== undefined &&
        target.kind === 'ports' &&
        target.ports.some(({ first, last }) => first <= port && port <= last),
    ) ??
    resources.find((resource) => resource.id === parseId(text))
  if (found === undefined) throw new UsageError(`${what} "${text}": ${config.file} has none of this name, port or id`)
  return found
}
