/**
 * Signs that this machine is somebody else to others now, or has been away: another address, another gateway, a suspend.
 * Plain Node hears no netlink, so it is looked at, which takes a tenth of a millisecond.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

type Interfaces = Readonly<
  Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'internal' | 'mac'>[] | undefined>
>

/** The kernel lists default routes first. What comes behind may be long, and is not read. */
const ROUTES_BYTES = 4096

/** A text that differs where the network does; empty where there is no address but for this machine alone. */
export function networkPrint(interfaces: Interfaces = networkInterfaces(), routes = defaultRoutes()): string {
  const addresses = Object.entries(interfaces).flatMap(([name, all = []]) =>
    all.flatMap(({ address, internal, mac }) =>
      // Link-local ones come and go with containers, and tell nothing about the way out.
      internal || /^(fe80:|169\.254\.)/.test(address) ? [] : [`${name} ${mac} ${address}`],
    ),
  )
  return addresses.length === 0 ? '' : [...addresses.sort(), ...gatewaysOf(routes)].join('\n')
}

/** Interface and gateway of each default route, out of the text of Linux's /proc/net/route. */
function gatewaysOf(routes: string): string[] {
  return routes
    .split('\n')
    .map((row) => row.split('\t'))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .map(([name, , gateway]) => `${name} by ${gateway}`)
    .sort()
}

/** The beginning of /proc/net/route; empty on other systems, where addresses have to be enough. */
function defaultRoutes(): string {
  let fd: number
  try {
    fd = openSync('/proc/net/route', 'r')
  } catch {
    return ''
  }
  try {
    const bytes = Buffer.alloc(ROUTES_BYTES)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, ROUTES_BYTES, 0))
  } catch {
    return ''
  } finally {
    closeSync(fd)
  }
}

/** Less is the grain of two clocks, and of being asked late. */
const LEAST_JUMP_MS = 1000

/**
 * A function that gives how far the wall clock went beyond the other one since it was asked last, 0 where it did not: a
 * suspend, in which the monotonic clock stands still, or a clock that was set (below 0: back).
 */
export function jumpWatch(wallMs: () => number, monoMs: () => number): () => number {
  let distance = wallMs() - monoMs()
  return () => {
    const jumped = wallMs() - monoMs() - distance
    distance += jumped
    return Math.abs(jumped) < LEAST_JUMP_MS ? 0 : jumped
  }
}
