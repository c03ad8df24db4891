/** Starts stopwatch.ts where it belongs: its ear at the server's kernel, its socket at the client. */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KNOCK_PORT } from '../../spec/support/installation.js'
import type { Lab } from '../../spec/support/lab.js'
import type { Namespace } from '../../spec/support/namespace.js'
import { encodeRecords } from './records.js'
import type { EachTimed, FlowTimed } from './stopwatch.js'

const ECHO_PORT = 7
const ECHO_BYTES = 140
const ECHO = `
const socket = require('node:dgram').createSocket('udp4')
socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address))
socket.bind(${ECHO_PORT}, () => console.log('ready'))`

/** Each knock alone: from its send to the kernel's word that there is a lease. */
export const timeEach = (lab: Lab, knocks: readonly Uint8Array[], perSecond: number) =>
  stopwatch<EachTimed>(lab, { mode: 'each', datagrams: knocks, perSecond, port: KNOCK_PORT })

/** All of them at that rate: when the leases came. */
export const timeFlow = (lab: Lab, knocks: readonly Uint8Array[], perSecond: number) =>
  stopwatch<FlowTimed>(lab, { mode: 'flow', datagrams: knocks, perSecond, port: KNOCK_PORT })

/** What any program in Node takes for a datagram on this machine, there and back: the least of servers that answers. */
export async function timeEcho(lab: Lab, count: number, perSecond: number): Promise<EachTimed> {
  const echo = lab.server.spawn([process.execPath, '-e', ECHO])
  await echo.waitLine(/ready/)
  const datagrams = Array.from({ length: count }, () => Buffer.alloc(ECHO_BYTES))
  return stopwatch(lab, { mode: 'echo', datagrams, perSecond, port: ECHO_PORT })
}

interface Run {
  readonly mode: 'each' | 'flow' | 'echo'
  readonly datagrams: readonly Uint8Array[]
  readonly perSecond: number
  readonly port: number
}

async function stopwatch<T>(lab: Lab, { mode, datagrams, perSecond, port }: Run): Promise<T> {
  const file = join(lab.folder, 'datagrams')
  writeFileSync(file, encodeRecords(datagrams))
  const program = [process.execPath, '--import', 'tsx', pathOf('stopwatch.ts'), mode, file, lab.server.v4]
  const atClient = ['nsenter', `--net=${await namespacePath(lab.client)}`, '--', ...program]
  const argv = ['perl', pathOf('events.pl'), ...atClient, String(port), String(perSecond)]
  return JSON.parse(await lab.server.must(argv, { timeoutMs: 120_000 })) as T
}

/** Where `ip netns` keeps a host's network namespace. */
export async function namespacePath(host: Namespace): Promise<string> {
  const inode = Number(await host.must(['stat', '--dereference', '--format=%i', '/proc/self/ns/net']))
  const found = readdirSync('/run/netns').find((name) => statSync(join('/run/netns', name)).ino === inode)
  if (found === undefined) throw new Error(`network namespace ${inode}: expected it in /run/netns`)
  return join('/run/netns', found)
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
