/**
 * A laboratory of three hosts in network namespaces, for specs, demo and benchmarks:
 *
 *     client                          server                          stranger
 *     198.18.1.2 to-server ── to-client 198.18.0.1 to-stranger ── to-server 198.18.2.2
 *     fd18:1::2                        fd18::1                        fd18:2::2
 *
 * Links without delay, no firewall anywhere, and no way out: the namespaces know no other network. It works only
 * inside scripts/apart, which gives it a private /run and keeps it away from the machine's own network.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { Namespace } from './namespace.js'

export const HOSTS = {
  server: { v4: '198.18.0.1', v6: 'fd18::1' },
  client: { v4: '198.18.1.2', v6: 'fd18:1::2' },
  stranger: { v4: '198.18.2.2', v6: 'fd18:2::2' },
} as const
type Host = keyof typeof HOSTS

/** The two ends of each link. */
const LINKS = {
  client: { server: '02:00:00:00:01:01', host: '02:00:00:00:01:02' },
  stranger: { server: '02:00:00:00:02:01', host: '02:00:00:00:02:02' },
} as const

export interface Lab {
  readonly server: Namespace
  readonly client: Namespace
  readonly stranger: Namespace
  /** An empty folder that goes with the laboratory. */
  readonly folder: string
  /** Ends all programs and removes all namespaces. */
  close(): Promise<void>
}

let opened = 0

/** Builds the three hosts; `at` is the path of its folder, if it matters. Throws with one sentence where this process is not apart from the machine. */
export async function openLab({ at }: { at?: string } = {}): Promise<Lab> {
  requireApart()
  const folder = at ?? mkdtempSync('/run/lab-')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const prefix = `lab${process.pid}-${++opened}-`
  const names = Object.keys(HOSTS) as Host[]
  ip([
    ...names.map((host) => `netns add ${prefix}${host}`),
    ...(['client', 'stranger'] as const).map(
      (peer) =>
        `link add to-${peer} address ${LINKS[peer].server} netns ${prefix}server type veth peer name to-server address ${LINKS[peer].host} netns ${prefix}${peer}`,
    ),
  ])
  const host = (name: Host) => new Namespace(`${prefix}${name}`, HOSTS[name])
  const lab = { server: host('server'), client: host('client'), stranger: host('stranger') }
  for (const name of names) await configure(lab[name], prefix + name, name)
  const close = async () => {
    await Promise.all(names.map((name) => lab[name].close()))
    ip(names.map((name) => `netns delete ${prefix}${name}`))
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...lab, folder, close }
}

/**
 * Addresses are point to point, so that the server is one address for both; no duplicate detection, no router noise. ICMP is
 * not rate-limited, so that counting it does not depend on the clock (kernels before 6.13 keep the host's bound of 50 at once).
 * Neighbours are entered for good: the kernel has one table of 1,024 for all namespaces, and where it is full, by whoever's flood
 * of addresses, a host that would have to ask for its neighbour loses what it sends.
 */
async function configure(namespace: Namespace, name: string, host: Host): Promise<void> {
  await namespace.sysctl({
    'net.ipv6.conf.all.disable_ipv6': 0,
    'net.ipv6.conf.all.router_solicitations': 0,
    'net.ipv6.conf.default.router_solicitations': 0,
    'net.ipv4.icmp_ratelimit': 0,
    'net.ipv6.icmp.ratelimit': 0,
    'net.ipv4.icmp_msgs_per_sec': 1_000_000,
    'net.ipv4.icmp_msgs_burst': 1_000_000,
  })
  const links = host === 'server' ? (['client', 'stranger'] as const) : (['server'] as const)
  ip(
    [
      'link set lo up',
      ...links.flatMap((peer) => [
        `address add ${HOSTS[host].v4} peer ${HOSTS[peer].v4} dev to-${peer}`,
        `link set to-${peer} addrgenmode none up`,
        `address add ${HOSTS[host].v6} peer ${HOSTS[peer].v6} dev to-${peer} nodad`,
        ...[HOSTS[peer].v4, HOSTS[peer].v6].map(
          (address) => `neighbour add ${address} lladdr ${linkAddressOf(host, peer)} dev to-${peer} nud permanent`,
        ),
      ]),
    ],
    name,
  )
}

/** That of the host that is met at the other end. */
function linkAddressOf(from: Host, to: Host): string {
  if (from === 'server') return LINKS[to as keyof typeof LINKS].host
  return LINKS[from as keyof typeof LINKS].server
}

function ip(commands: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}

/**
 * The machine's own network is out of bounds. scripts/apart says which namespace it came from; the namespace of
 * process 1 is the machine's own as well, where it can be read (not by an ordinary user).
 */
function requireApart(): void {
  const here = readlinkSync('/proc/self/ns/net')
  const { POSTERN_OUTSIDE: outside } = process.env
  if (outside === undefined || outside === here || machineNetwork() === here) {
    throw new Error(
      'the laboratory never works in the machine’s own network namespace: run this through scripts/apart (scripts/test does)',
    )
  }
}

function machineNetwork(): string | undefined {
  try {
    return readlinkSync('/proc/1/ns/net')
  } catch {
    return undefined
  }
}
