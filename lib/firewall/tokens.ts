/** Instant tokens that are in the kernel, taken out by whoever may: the monitor, or a command where no monitor answers. */
import { parseSetName } from './names.js'
import { FAMILY } from './parts.js'
import { isOurs } from './transition.js'
import type { Kernel } from './types.js'

/** Empties every token set of postern's own table, whichever configuration made it. Throws FirewallError. */
export function dropTokens(kernel: Pick<Kernel, 'shape' | 'apply'>, table: string): void {
  const shape = kernel.shape(FAMILY.inet, table)
  if (shape === undefined || !isOurs(shape)) return
  for (const set of shape.sets)
    if (parseSetName(set, 'own')?.kind === 'inst')
      kernel.apply([{ kind: 'flush', set: { family: FAMILY.inet, table, set } }])
}
