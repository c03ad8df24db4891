/** The figures of scripts/bench, by name, in their order. */
import { client } from './client.js'
import { fwknop } from './fwknop.js'
import { growth } from './growth.js'
import { instant } from './instant.js'
import { letmein } from './letmein.js'
import { open } from './open.js'
import { peers } from './peers.js'
import { rate } from './rate.js'
import { rest } from './rest.js'
import type { Row } from './row.js'
import { ssh } from './ssh.js'
import { strangers } from './strangers.js'

export interface BenchOptions {
  /** How long the flood of `growth` goes on. */
  readonly floodSeconds: number
}

type Measure = (options: BenchOptions) => Promise<Row[]>

export const FIGURES: Readonly<Record<string, Measure>> = {
  client,
  open,
  rate,
  instant,
  strangers,
  rest,
  growth,
  peers,
  letmein,
  fwknop,
  ssh,
}
