/** Runs the rule manager inside a namespace, over the netlink socket that opener.pl gave it, and does what it is asked. */
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { deserialize, serialize } from 'node:v8'
import type { ServerConfig } from '../../lib/config/types.js'
import { RuleManager } from '../../lib/firewall/manager.js'
import { NetlinkKernel } from '../../lib/firewall/netlink/kernel.js'
import { inheritedSocket } from '../../lib/firewall/netlink/socket.js'
import { nftProgram } from '../../lib/firewall/nft.js'
import type { Templates } from '../../lib/firewall/templates.js'

const kernel = new NetlinkKernel(inheritedSocket(process.env))
let manager: RuleManager | undefined

/** What can be asked: a method of the rule manager, of the kernel's, or `make` a manager (the old one is forgotten). */
function answer(call: string, args: unknown[]): unknown {
  if (call === 'make') {
    const [config, templates] = args as [ServerConfig, Templates]
    const nft = nftProgram(config.firewall.nft)
    manager = new RuleManager({ kernel, nft, config, now: () => performance.now(), log: console.log, templates })
    return undefined
  }
  const [who, method] = call.split('.') as ['manager' | 'kernel', string]
  const target = (who === 'kernel' ? kernel : manager) as unknown as Record<string, (...args: unknown[]) => unknown>
  return target[method]!(...args)
}

createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    const { id, call, args } = deserialize(Buffer.from(line, 'base64')) as { id: number; call: string; args: unknown[] }
    let reply: object
    try {
      reply = { id, value: answer(call, args) }
    } catch (error) {
      reply = { id, error: String(error), code: (error as { code?: string }).code }
    }
    socket.write(`${serialize(reply).toString('base64')}\n`)
  })
  socket.on('close', () => process.exit())
}).listen(process.argv[2]!, () => console.log('ready'))
