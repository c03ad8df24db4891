/** Other people's programs of the same kind, where they are installed: each in a laboratory of its own. */
import { execFileSync } from 'node:child_process'
import type { Lab } from '../../spec/support/lab.js'
import { startFwknop } from './peer-fwknop.js'
import { startLetmein } from './peer-letmein.js'
import type { Row } from './row.js'

/** A server that runs, with ports that are shut and answer once they are open. */
export interface Peer {
  readonly name: string
  readonly lab: Lab
  /** The client's argument array that opens the n-th port, from 0 on, each of which is shut until then. */
  knock(n: number): readonly string[]
  port(n: number): number
}

/** What a peer is started with: how many ports it has. Throws where it does not run here. */
type Start = (ports: number) => Promise<Peer>

const KNOWN: readonly { name: string; programs: readonly string[]; start: Start }[] = [
  { name: 'fwknop', programs: ['fwknop', 'fwknopd', 'iptables'], start: startFwknop },
  { name: 'letmein', programs: ['letmein', 'letmeind', 'letmeinfwd'], start: startLetmein },
]

/** Those that run; and a row for each that does not, which says why. */
export async function startPeers(ports: number): Promise<{ peers: Peer[]; missing: Row[] }> {
  const peers: Peer[] = []
  const missing: Row[] = []
  for (const { name, programs, start } of KNOWN) {
    const without = programs.find((program) => !isInstalled(program))
    try {
      if (without === undefined) peers.push(await start(ports))
      else missing.push({ what: name, found: `${without} is not installed: left out`, goal: '' })
    } catch (error) {
      missing.push({ what: name, found: `does not run here: ${String(error).split('\n')[0]}`, goal: '' })
    }
  }
  return { peers, missing }
}

/** Whether it is in PATH. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
