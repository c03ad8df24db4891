/** A rule manager that works in a host of the laboratory, as if it were here. */
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { buildSync } from 'esbuild'
import type { ServerConfig } from '../../lib/config/types.js'
import type { RuleManager } from '../../lib/firewall/manager.js'
import { readTemplates } from '../../lib/firewall/templates.js'
import type { Kernel } from '../../lib/firewall/types.js'
import type { Child } from '../support/child.js'
import type { Lab } from '../support/lab.js'

type Remote<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<R>
    : never
}

export interface ManagerHost {
  /** A new rule manager over the same kernel, as after a restart. */
  make(config: ServerConfig): Promise<void>
  readonly manager: Remote<RuleManager>
  readonly kernel: Remote<Kernel>
  readonly child: Child
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
let serial = 0

export async function managerIn(lab: Lab): Promise<ManagerHost> {
  const program = `${lab.folder}/manager-host.mjs`
  buildSync({
    entryPoints: [here('manager-host.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: program,
  })
  const path = `${lab.folder}/manager-${++serial}.sock`
  const child = lab.server.spawn(['perl', here('../../lib/daemon/opener.pl'), process.execPath, program, path])
  await child.waitLine(/^ready$/)
  const ask = asker(await dial(path))
  const remote = (who: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          (...args: unknown[]) =>
            ask(`${who}.${method}`, args),
      },
    )
  return {
    make: (config) => ask('make', [config, readTemplates()]) as Promise<void>,
    manager: remote('manager') as Remote<RuleManager>,
    kernel: remote('kernel') as Remote<Kernel>,
    child,
  }
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket)).on('error', reject)
  })
}

function asker(socket: Socket): (call: string, args: unknown[]) => Promise<unknown> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  createInterface({ input: socket }).on('line', (line) => {
    const { id, value, error, code } = deserialize(Buffer.from(line, 'base64'))
    const { resolve, reject } = waiting.get(id)!
    waiting.delete(id)
    if (error === undefined) resolve(value)
    else reject(Object.assign(new Error(error), { code }))
  })
  let last = 0
  return (call, args) =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, { resolve, reject })
      socket.write(`${serialize({ id, call, args }).toString('base64')}\n`)
    })
}
