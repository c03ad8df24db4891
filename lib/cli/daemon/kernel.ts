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
  const config = configOf(args, world)
  return { manager: managerFor(config, world).manager, config }
}

/** The configuration that --config or the environment names. Throws ConfigError. */
export function configOf(args: Arguments, world: World): ServerConfig {
  return loadServerConfig(textOf(args, 'config') ?? world.env['POSTERN_CONFIG'])
}

/** A rule manager for this configuration, and the kernel that it speaks to. Throws FirewallError. */
export function managerFor(config: ServerConfig, world: World): { manager: RuleManager; kernel: NetlinkKernel } {
  const socket = inheritedSocket(world.env)
  preflight(socket, config.firewall.nft)
  const kernel = new NetlinkKernel(socket)
  const manager = new RuleManager({
    kernel,
    nft: nftProgram(config.firewall.nft),
    config,
    now: readMonoMs,
    log: (line) => world.printer.error(line),
  })
  return { manager, kernel }
}

/** The kernel alone. */
export function kernelOf(world: World): NetlinkKernel {
  return new NetlinkKernel(inheritedSocket(world.env))
}
