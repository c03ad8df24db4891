/**
 * A second, long way between client and server of a laboratory, whose round trip takes as long as asked:
 *
 *     client 198.18.77.2, fd18:77::2 ── delay.py ── 198.18.77.1, fd18:77::1 server
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../../spec/support/lab.js'
import type { Namespace } from '../../spec/support/namespace.js'
import { namespacePath } from './timed.js'

const PROGRAM = fileURLToPath(new URL('delay.py', import.meta.url))

export interface Far {
  /** The server's addresses at the end of the long way. */
  readonly v4: string
  readonly v6: string
  close(): Promise<void>
}

let made = 0

/** The way is up when this returns. */
export async function openFar(lab: Lab, roundTripMs: number): Promise<Far> {
  const names = ['c', 's'].map((end) => `far${end}${process.pid % 10_000}${made}`)
  made++
  const bridge = spawn('python3', [PROGRAM, String(roundTripMs / 2), ...names], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(bridge, 'exit')
  await Promise.race([once(bridge.stdout, 'data'), gone.then(() => Promise.reject(new Error('delay.py ended')))])
  await place(lab.client, names[0]!, 2)
  await place(lab.server, names[1]!, 1)
  return {
    v4: '198.18.77.1',
    v6: 'fd18:77::1',
    close: async () => {
      bridge.stdin.end()
      await gone
    },
  }
}

async function place(host: Namespace, device: string, number: number): Promise<void> {
  const ip = async (...words: string[]) => void (await host.must(['ip', ...words]))
  const path = await namespacePath(host)
  await run(['ip', 'link', 'set', device, 'netns', path.slice(path.lastIndexOf('/') + 1)])
  await ip('address', 'add', `198.18.77.${number}/24`, 'dev', device)
  await ip('link', 'set', device, 'addrgenmode', 'none', 'up')
  await ip('address', 'add', `fd18:77::${number}/64`, 'dev', device, 'nodad')
}

async function run([program, ...words]: readonly string[]): Promise<void> {
  const child = spawn(program!, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: exit ${status}`)
}
