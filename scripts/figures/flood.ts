/** A flood of datagrams from nobody, out of one of the laboratory's hosts. */
import { fileURLToPath } from 'node:url'
import type { Namespace } from '../../spec/support/namespace.js'

const PROGRAM = fileURLToPath(new URL('flood.pl', import.meta.url))
/** Within the lengths that the gate looks at: the dearest of what it does not know. */
const BYTES = 140

export interface Flood {
  readonly port: number
  readonly perSecond: number
  readonly seconds: number
  /** What each begins with. */
  readonly prefix?: Uint8Array
  readonly bytes?: number
  /** The host's own addresses, to be sent from in turn. */
  readonly sources?: readonly string[]
}

export interface Flooded {
  readonly sent: number
  readonly seconds: number
}

/** Settles at its end. */
export async function flood(
  from: Namespace,
  address: string,
  { port, perSecond, seconds, prefix, bytes = BYTES, sources = [] }: Flood,
): Promise<Flooded> {
  const words = [address, port, perSecond, seconds, bytes, Buffer.from(prefix ?? []).toString('hex'), ...sources]
  const said = await from.must(['perl', PROGRAM, ...words.map(String)], { timeoutMs: (seconds + 30) * 1000 })
  return JSON.parse(said) as Flooded
}
