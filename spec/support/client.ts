/**
 * Which client the specs run: `bin/postern` of a checkout or an installation, or the one file that POSTERN_CLIENT names (made by
 * scripts/client-binary; spec/getting/client-binary.spec.ts sets it).
 */
import { join } from 'node:path'

const { POSTERN_CLIENT } = process.env

/** The one file, where specs run it; undefined: Node runs bin/postern. */
export const ALONE = POSTERN_CLIENT === undefined || POSTERN_CLIENT === '' ? undefined : POSTERN_CLIENT

/** The client program of what is installed in `root`. */
export function clientOf(root: string): string {
  return ALONE ?? join(root, 'bin/postern')
}
