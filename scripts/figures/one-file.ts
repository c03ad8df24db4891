/** The client that needs no Node, where it has been made (scripts/client-binary). */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { thisTarget } from '../bun.js'

/** Its path; undefined: it is not there. */
export function oneFileClient(): string | undefined {
  const path = fileURLToPath(new URL(`../../dist/client/postern-${thisTarget()}`, import.meta.url))
  return existsSync(path) ? path : undefined
}
