/**
 * Ports at which this host has sockets of its own, as Linux lists them (proc_net_tcp in the kernel's documentation). Reads files
 * only; what is not there lists nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const LISTEN = '0A'

export type ListeningPorts = Readonly<Record<'tcp' | 'udp', ReadonlySet<number>>>

/** Of both families. `root`: where the host's files are. */
export function readListeningPorts(root = '/'): ListeningPorts {
  const both = (name: string) => [name, `${name}6`].map((file) => textIn(join(root, 'proc/net', file))).join('')
  return listeningPorts({ tcp: both('tcp'), udp: both('udp') })
}

/** `tcp` and `udp`: the texts of /proc/net/{tcp,udp} and their like for IPv6. */
export function listeningPorts({ tcp, udp }: { readonly tcp: string; readonly udp: string }): ListeningPorts {
  return { tcp: portsIn(tcp, LISTEN), udp: portsIn(udp, undefined) }
}

function portsIn(text: string, state: string | undefined): Set<number> {
  const rows = text.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /gm)
  const ports = new Set<number>()
  for (const [, port, is] of rows) if (state === undefined || is === state) ports.add(Number.parseInt(port!, 16))
  return ports
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
