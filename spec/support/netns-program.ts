/** The program in the namespace (netns-child.ts): calls `argv[3]` of module `argv[2]` and prints what it returned. */
import { spawnSync } from 'node:child_process'
import { FdSocket, inheritedSocket } from '../../lib/firewall/netlink/socket.js'

/** What a function in a namespace works with. */
export interface NetlinkLab {
  readonly socket: FdSocket
  /** Only where the socket was asked for. */
  readonly events: FdSocket
  readonly log: FdSocket
  /** Runs the nft program with this text. Throws with what it said. */
  nft(text: string): void
  /** What `nft -j list …` says. */
  listed(...what: string[]): NftListing
}

export interface NftListing {
  readonly nftables: readonly {
    readonly set?: { readonly elem?: readonly unknown[] }
    readonly rule?: { readonly handle: number }
  }[]
}

function runNft(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync('nft', argv, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`nft ${argv.join(' ')}: ${stderr}`)
  return stdout
}

const [, , module, name] = process.argv
const { POSTERN_EVENTS_FD, POSTERN_LOG_FD } = process.env
const lab: NetlinkLab = {
  socket: inheritedSocket(process.env),
  events: new FdSocket(Number(POSTERN_EVENTS_FD)),
  log: new FdSocket(Number(POSTERN_LOG_FD)),
  nft: (text) => {
    runNft(`${text}\n`)
  },
  listed: (...what) => JSON.parse(runNft('-j', 'list', ...what)),
}

const functions = (await import(module!)) as Record<string, (lab: NetlinkLab) => unknown>
const outcome = await functions[name!]!(lab)
process.stdout.write(
  JSON.stringify(outcome, (_, value) => (typeof value === 'bigint' ? String(value) : value)) ?? 'null',
)
