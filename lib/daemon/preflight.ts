/**
 * Is everything there that postern needs of this host? Each thing that is not is one sentence that names it and says what to
 * do, before anything is put into the kernel.
 */
import { execFileSync } from 'node:child_process'
import { type KernelParts, probe } from '../firewall/netlink/probe.js'
import type { NetlinkSocket } from '../firewall/netlink/socket.js'
import { FirewallError } from '../firewall/types.js'

const PARTS: Readonly<Record<keyof KernelParts, string>> = {
  nfTables: 'nf_tables (CONFIG_NF_TABLES, module nf_tables)',
  nflog: 'nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG, module nfnetlink_log)',
  conntrack:
    'nf_conntrack (CONFIG_NF_CONNTRACK and CONFIG_NF_CT_NETLINK, modules nf_conntrack and nf_conntrack_netlink)',
}

/** Throws FirewallError `missing` or `permission`. `nft` is the program's name or path. */
export function preflight(socket: NetlinkSocket, nft: string): void {
  const parts = probe(socket)
  for (const [part, name] of Object.entries(PARTS) as [keyof KernelParts, string][])
    if (!parts[part])
      throw new FirewallError('missing', `this kernel has no ${name}: load the module, or run a kernel that has it`)
  try {
    execFileSync(nft, ['--version'], { stdio: 'ignore' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT')
      throw new FirewallError(
        'missing',
        `nft: "${nft}" is not there: apt-get install nftables, or name it by [NFTABLES] exe`,
      )
    throw new FirewallError(
      'missing',
      `nft: "${nft} --version" does not run (${code ?? 'it ended with an error'}): expected nft 1.0.2 or later`,
    )
  }
}
