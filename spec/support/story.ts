/** How most end-to-end stories begin: a laboratory, a service on port 22 of the server, and postern in front of it. */
import type { Child } from './child.js'
import { clientFile, Installation, serverFile } from './installation.js'
import { type Lab, openLab } from './lab.js'
import type { Namespace } from './namespace.js'
import type { Packet } from './packet.js'
import { poll } from './poll.js'

/** Long enough to try several things within a lease, short enough to wait for its end. */
export const LEASE_MS = 2_000
/** What a story guards where it does not say. */
export const SSH = `00000001 = port: 22 / timeout: ${LEASE_MS / 1000} / max-timeout: 60`

export interface Story extends Lab {
  readonly postern: Installation
  /** The daemon that runs; undefined where the story starts it itself. */
  daemon: Child | undefined
}

export interface Beginning {
  /** Lines of [RESOURCES]. */
  readonly resources?: readonly string[]
  /** Where the server hears knocks. */
  readonly port?: string
  /** Further sections of the server's file. */
  readonly more?: string
  /** TCP ports that answer. */
  readonly services?: readonly number[]
  /** False: the daemon is not started. */
  readonly daemon?: boolean
}

export async function begin(beginning: Beginning = {}): Promise<Story> {
  const { resources = [SSH], services = [22], daemon = true } = beginning
  const lab = await openLab()
  try {
    for (const port of services) await lab.server.echo(port)
    const postern = new Installation(lab)
    postern.configure(serverFile(resources, beginning))
    postern.configureClient(clientFile(resources))
    await postern.trustClock()
    return { ...lab, postern, daemon: daemon ? await postern.start() : undefined }
  } catch (error) {
    await lab.close()
    throw error
  }
}

/**
 * Tells what has to be told while a lease lives, from its knock on. The kernel ends the lease by a clock that goes on where the
 * whole machine stands still. So what failed when that time was over is told anew; what failed before has failed.
 */
export async function withinLease<T>(tell: () => Promise<T>, leaseMs = LEASE_MS): Promise<T> {
  for (let triesLeft = 2; ; triesLeft--) {
    const began = performance.now()
    try {
      return await tell()
    } catch (error) {
      if (triesLeft === 0 || performance.now() - began < leaseMs) throw error
    }
  }
}

/** Waits until a TCP port of the server is open for this host. */
export async function becomesOpen(host: Namespace, address: string, port = 22): Promise<void> {
  await poll(`port ${port} of ${address} opens`, async () => (await host.connect(address, port)) === 'open')
}

/** Waits until it is shut. */
export async function becomesShut(host: Namespace, address: string, port = 22): Promise<void> {
  const shut = async () => (await host.connect(address, port)) !== 'open'
  await poll(`port ${port} of ${address} shuts`, shut)
}

/** The payloads of the UDP datagrams that arrived among these packets. */
export function datagramsOf(packets: readonly Packet[]): Buffer[] {
  return packets.filter((packet) => packet.kind === 'udp' && !packet.outgoing).map((packet) => packet.payload)
}
