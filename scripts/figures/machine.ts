/** What the run was made on: figures mean little without. */
import { availableParallelism, loadavg, release } from 'node:os'

export interface Machine {
  readonly processors: number
  readonly kernel: string
  readonly node: string
  /** Of the last minute: what else kept the processors busy. */
  readonly load: number
}

export function machine(): Machine {
  return { processors: availableParallelism(), kernel: release(), node: process.versions.node, load: loadavg()[0]! }
}
