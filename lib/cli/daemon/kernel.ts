/** A rule manager of the command's own, over the netlink socket that bin/posternd had opened for it. */
import { loadServerConfig } from '../../config/files.js'
import type { ServerConfig } from '../../config/types.js'
import { readMonoMs } from '../../daemon/clock.js'
import { preflight } from '../../daemon/preflight.js'
import { RuleManager } from '../../firewall/manager.js'
import { NetlinkKernel } from '../../firewall/netlink/kernel.js'
import { inheritedSocket } from '../../firewall/netlink/socket.js'
import { nftProgram } from '../../firewall/nft.js'
import type { World } from '../command.js'
import { type Arguments, textOf } from '../options.js'

/** Rule manager and the configuration that it goes by. Throws ConfigError, FirewallError. */
export function managerOf(args: Arguments, world: World): { manager: RuleManager; config: ServerConfig } {
  const config = loadServerConfig(textOf(args, 'config') ?? world.env['POSTERN_CONFIG'])
  const socket = inheritedSocket(world.env)
  preflight(socket, config.firewall.nft)
  const manager = new RuleManager({
    kernel: new NetlinkKernel(socket),
    nft: nftProgram(config.firewall.nft),
    config,
    now: readMonoMs,
    log: (line) => world.printer.error(line),
  })
  return { manager, config }
}

/** The kernel alone. */
export function kernelOf(world: World): NetlinkKernel {
  return new NetlinkKernel(inheritedSocket(world.env))
}
